# shellcheck shell=bash
# Certificates for tests, made on the spot: CAs and what they sign, elliptic unless said otherwise.
ec="ec -pkeyopt ec_paramgen_curve:P-256"
ca() { # ca NAME [OPTIONS...]
    # shellcheck disable=SC2086
    openssl req -x509 -newkey $ec -nodes -keyout "$1.key" -out "$1.pem" -days 30 -subj "/CN=$1" "${@:2}"
}
cert() { # cert NAME CA DAYS NAMES [KIND]
    # shellcheck disable=SC2086
    openssl req -newkey ${5:-$ec} -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" &&
        echo "subjectAltName=$4" >"$1.ext" &&
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" -days "$3" -extfile "$1.ext"
}
cert_of_the_future() { # cert_of_the_future NAME CA NAMES: `openssl x509` cannot set when validity begins
    # shellcheck disable=SC2086
    openssl req -newkey $ec -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" &&
        echo "subjectAltName=$3" >"$1.ext" && : >"$1.index" && echo 77 >"$1.serial" &&
        printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s.index\nserial=%s.serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' "$1" "$1" >"$1.config" &&
        openssl ca -batch -notext -config "$1.config" -cert "$2.pem" -keyfile "$2.key" -in "$1.csr" -out "$1.pem" \
            -extfile "$1.ext" -startdate 20450101000000Z -enddate 20460101000000Z
}
bare() { # bare NAME CA SUBJECT: without other names
    # shellcheck disable=SC2086
    openssl req -newkey $ec -nodes -keyout "$1.key" -out "$1.csr" -subj "$3" &&
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" -days 20
}
# A client's certificate below an authority that expires before it, sent with it: brief.pem
brief() {
    cert short good 20 DNS:short && echo "basicConstraints=critical,CA:true" >short.ext &&
        openssl x509 -req -in short.csr -CA good.pem -CAkey good.key -CAcreateserial -out short.pem -days 5 -extfile short.ext &&
        cert brief short 20 DNS:brief && cat short.pem >>brief.pem
}
weak() { # weak NAME EXTENSION KIND [OPTIONS...]: by CA good, with a fault that is no matter of trust or time
    openssl req -newkey "$3" -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" &&
        printf 'subjectAltName=DNS:localhost\n%s\n' "$2" >"$1.ext" &&
        openssl x509 -req -in "$1.csr" -CA good.pem -CAkey good.key -CAcreateserial -out "$1.pem" -days 20 -extfile "$1.ext" "${@:4}"
}
# What the tests of TLS use.
all_certificates() {
    ca good && ca other && cert server good 20 DNS:localhost && cert rsa good 20 DNS:localhost rsa:2048 &&
        cert client good 20 DNS:client && cert stranger other 20 DNS:localhost && cert expired good -1 DNS:localhost &&
        cert_of_the_future future good DNS:localhost && ca self -addext subjectAltName=DNS:localhost &&
        cert address good 20 IP:127.0.0.1,IP:::1,IP:fe80::1 && cert wild good 20 'DNS:*.0.0.1,DNS:127.0.0.1,DNS:*.0.0.01,DNS:*.1,DNS:*.0x1' &&
        cert door good 20 URI:urn:dev:door-1,DNS:door-1.example,IP:192.0.2.7,IP:2001:db8::7 &&
        cert mailed good 20 email:door-1 && bare plain good "/O=Doors/CN=door-1" && bare twins good "/CN=door-1/CN=door-2" &&
        bare comma good "/O=x, CN=door-1/CN=door-2" && bare nameless good "/O=door-1" && bare torn good "/CN=door-1"$'\n'"door-2" &&
        brief && weak small '' rsa:1024 && weak sha1 '' rsa:2048 -sha1 && weak of_a_ca keyUsage=critical,keyCertSign rsa:2048 &&
        weak of_clients extendedKeyUsage=clientAuth rsa:2048 && weak of_servers extendedKeyUsage=serverAuth rsa:2048 &&
        openssl pkey -in server.key -aes128 -passout pass:secret -out locked.key
}
# A certificate below an authority of RSA below the elliptic root, sent with it: chain.pem
chained() {
    cert middle good 20 DNS:middle rsa:2048 && echo "basicConstraints=critical,CA:true" >middle.ext &&
        openssl x509 -req -in middle.csr -CA good.pem -CAkey good.key -CAcreateserial -out middle.pem -days 20 -extfile middle.ext &&
        cert chain middle 20 DNS:localhost && cp chain.pem chain.first.pem && cat middle.pem >>chain.pem
}
