# Certificates for tests, made on the spot: CAs and what they sign, elliptic unless said otherwise.
ec="ec -pkeyopt ec_paramgen_curve:P-256"
ca() { # ca NAME
    # shellcheck disable=SC2086
    openssl req -x509 -newkey $ec -nodes -keyout "$1.key" -out "$1.pem" -days 30 -subj "/CN=$1"
}
cert() { # cert NAME CA DAYS NAMES [KIND]
    # shellcheck disable=SC2086
    openssl req -newkey ${5:-$ec} -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" &&
        echo "subjectAltName=$4" >"$1.ext" &&
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" -days "$3" -extfile "$1.ext"
}
