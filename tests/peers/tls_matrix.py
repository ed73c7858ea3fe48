"""TLS with peers: tls_matrix.py FOLDER sample|all SEED

Each case is a value of each of the dimensions below. What must come of it follows from the values: the highest version in
common, with h2 and bytes of HTTP/2 in both directions; or a refusal with its text on mote's side or the peer's."""
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

W, MODE, SEED = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
BUILD = os.environ.get("BUILD", "build")
MOTE = {"2.28": BUILD, "3.6": BUILD + "/tls-3"} | ({"4": BUILD + "/tls-4"} if os.environ.get("MBEDTLS_4") else {})
LIMIT_S = 30

DIMENSIONS = {
    "role": ["client", "server"],  # mote's
    "mote": list(MOTE),  # its mbedTLS
    "peer": ["openssl", "nginx", "mbedtls-2.28", "mbedtls-3.6"] + (["go"] if os.path.exists(W + "/go_peer") else []),
    "versions": ["1.2", "1.3", "both"],  # of the peer
    "certificate": ["ec", "rsa", "chain", "ed25519"],  # the server's; chain: an RSA authority between two elliptic keys
    "ca": ["good", "bundle"],  # of who asks; bundle: between two roots that mbedTLS does not know (Ed25519)
    "client": ["none", "client-ec", "client-rsa"],  # the client's certificate
}


def possible(case):
    """mbedTLS 2.28 has no TLS 1.3, and no mbedTLS has a key of Ed25519."""
    if case["peer"] == "mbedtls-2.28" and case["versions"] == "1.3":
        return False
    return not (case["peer"].startswith("mbedtls") and case["certificate"] == "ed25519" and case["role"] == "client")


def wanted(case):
    """The version that is agreed on, or what is said instead."""
    too_new = case["versions"] == "1.3" and case["mote"] == "2.28"
    if case["certificate"] == "ed25519" and not (too_new and case["role"] == "client"):
        return "no key"
    if too_new:
        return "no version"
    has_13 = case["mote"] != "2.28" and case["versions"] != "1.2" and case["peer"] != "mbedtls-2.28"
    return "1.3" if has_13 else "1.2"


# Faults of their time, of more values than three: always in the sample.
KNOWN = [
    {"role": "client", "mote": "3.6", "peer": "openssl", "versions": "1.2", "certificate": "rsa"},  # chose PSS, Mbed-TLS/mbedtls#10668
    {"role": "client", "mote": "3.6", "peer": "nginx", "versions": "1.2", "certificate": "rsa"},
]


# ---- cases


def all_cases():
    names = list(DIMENSIONS)
    for values in itertools.product(*DIMENSIONS.values()):
        case = dict(zip(names, values))
        if possible(case):
            yield case


def parts(case):
    return set(itertools.combinations(case.items(), 3))


def sample(cases):
    """Few cases that have each three values which some case has: the best of some that are drawn, again and again."""
    draw = random.Random(SEED)
    missing = set().union(*(parts(c) for c in cases))
    for wish in KNOWN:
        yield next(c for c in cases if wish.items() <= c.items())
    while missing:
        wish = dict(draw.choice(sorted(missing)))
        drawn = [c for c in draw.sample(cases, len(cases)) if wish.items() <= c.items()][:20]
        best = max(drawn, key=lambda c: len(parts(c) & missing))
        missing -= parts(best)
        yield best


# ---- processes


class Process:
    """A program with what it has said so far. Its standard input stays open."""

    def __init__(self, name, arguments):
        self.file = f"{W}/{name}.out"
        with open(self.file, "wb") as out:
            self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)

    def said(self):
        with open(self.file, errors="backslashreplace") as f:
            return f.read()

    def until(self, *patterns):
        """All of the patterns were said; False: it has ended, or time has, without."""
        end = time.monotonic() + LIMIT_S
        while True:
            over = self.process.poll() is not None or time.monotonic() > end
            text = self.said()
            if all(re.search(p, text) for p in patterns):
                return True
            if over:
                return False
            time.sleep(0.01)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()


# Below those that connections get: nobody takes one between here and the program that listens.
ports = itertools.count(random.SystemRandom().randrange(12000, 22000))


def free_port():
    while True:
        port = next(ports)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def answers(port):
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def pem(name):
    return f"{W}/{name}.pem", f"{W}/{name}.key"


# ---- peers: how they are started, and what they say of a version and of h2


def openssl_versions(versions):
    return {"1.2": ["-tls1_2"], "1.3": ["-tls1_3"], "both": []}[versions]


def mbedtls_versions(peer, versions):
    if peer.endswith("2.28"):
        return ["force_version=tls12"]
    return {"1.2": ["force_version=tls12"], "1.3": ["force_version=tls13"], "both": ["min_version=tls12", "max_version=tls13"]}[versions]


def nginx(name, server):
    folder = f"{W}/{name}"
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/conf", "w") as f:
        f.write(f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off;\n")
        for what in "client_body", "proxy", "fastcgi", "uwsgi", "scgi":
            f.write(f"{what}_temp_path {folder}/temp;\n")
        f.write(f"server {{ {server} }} }}\n")
    return ["nginx", "-e", "stderr", "-p", folder, "-c", folder + "/conf"]


NGINX_VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3", "both": "TLSv1.2 TLSv1.3"}


def server_peer(case, name, port):
    """Arguments of the peer as a server, and what it says when it listens."""
    cert, key = pem(case["certificate"])
    asks = case["client"] != "none"
    good = W + "/good.pem"
    if case["peer"] == "openssl":
        more = ["-Verify", "1", "-verify_return_error", "-CAfile", good] if asks else []
        chain = ["-cert_chain", cert] if case["certificate"] == "chain" else []
        return ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert, "-key", key, "-alpn", "h2"] + chain + \
            openssl_versions(case["versions"]) + more, "ACCEPT"
    if case["peer"] == "go":
        return [W + "/go_peer", "server", str(port), case["versions"], cert, key, good if asks else "-"], "listening"
    if case["peer"] == "nginx":
        more = f"ssl_verify_client on; ssl_client_certificate {good};" if asks else ""
        return nginx(name, f"listen 127.0.0.1:{port} ssl http2; ssl_certificate {cert}; ssl_certificate_key {key}; {more}"
                     f"ssl_protocols {NGINX_VERSIONS[case['versions']]};"
                     'return 200 "agreed on $ssl_protocol $server_protocol\\n";'), None
    more = ["auth_mode=required", "ca_file=" + good] if asks else ["auth_mode=none"]
    return ["stdbuf", "-oL", W + "/server2-" + case["peer"][8:], "server_addr=127.0.0.1", f"server_port={port}", f"crt_file={cert}",
            f"key_file={key}", "alpn=h2"] + mbedtls_versions(case["peer"], case["versions"]) + more, "Waiting for a remote"


SERVERS_SAY = {
    "openssl": [r"ALPN protocols selected: h2", r"PRI \* HTTP/2.0", r"CIPHER is"],
    "go": [r"agreed on TLS {0} h2\n", r"heard .PRI \* HTTP/2.0"],
    "mbedtls": [r"Protocol is TLSv{0} ", r"Application Layer Protocol is h2", r"PRI \* HTTP/2.0"],
    "nginx": [],
}


def client_peer(case, name, port):
    ca = f"{W}/{case['ca']}.pem"
    cert, key = pem(case["client"]) if case["client"] != "none" else ("-", "-")
    if case["peer"] == "openssl":
        more = ["-cert", cert, "-key", key] if cert != "-" else []
        return ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-verify_hostname", "localhost",
                "-verify_return_error", "-alpn", "h2", "-CAfile", ca] + openssl_versions(case["versions"]) + more
    if case["peer"] == "go":
        return [W + "/go_peer", "client", str(port), case["versions"], cert, key, ca]
    if case["peer"] == "nginx":
        more = f"grpc_ssl_certificate {cert}; grpc_ssl_certificate_key {key};" if cert != "-" else ""
        case["front"] = free_port()
        return nginx(name, f"listen 127.0.0.1:{case['front']} http2; location / {{ grpc_pass grpcs://127.0.0.1:{port};"
                     f"grpc_ssl_protocols {NGINX_VERSIONS[case['versions']]}; grpc_ssl_verify on; grpc_ssl_name localhost;"
                     f"grpc_ssl_verify_depth 3; grpc_ssl_server_name on; grpc_ssl_trusted_certificate {ca}; {more} }}")
    more = [f"crt_file={cert}", f"key_file={key}"] if cert != "-" else ["crt_file=none", "key_file=none"]
    return ["stdbuf", "-oL", W + "/client2-" + case["peer"][8:], "server_addr=127.0.0.1", "server_name=localhost", f"server_port={port}",
            f"ca_file={ca}", "auth_mode=required", "alpn=h2"] + mbedtls_versions(case["peer"], case["versions"]) + more


# What follows the handshake are bytes of HTTP/2: SETTINGS of mote's server.
CLIENTS_SAY = {
    "openssl": [r"ALPN protocol: h2", r"New, TLSv{0}, Cipher", r"Verification: OK"],
    "go": [r"agreed on TLS {0} h2\n", r'heard .\\x00\\x00.*\\x04'],
    "mbedtls": [r"Protocol is TLSv{0} ", r"Application Layer Protocol is h2", r"bytes read"],
}
# A client that is refused says why: what TLS has as alerts.
REFUSED = r"(?i)alert|protocol.version|BAD_HS|handshake fail"


def family(case):
    return case["peer"].split("-")[0]


def says(table, case, version):
    return [p.replace("{0}", re.escape(version)) for p in table[family(case)]]


# ---- a case


def mote_client(case, name):
    port = free_port()
    arguments, listens = server_peer(case, name, port)
    peer = Process(name + ".peer", arguments)
    client = None
    try:
        if not (peer.until(listens) if listens else answers(port)):
            return "the peer does not listen: " + peer.said()
        more = [f"--{k}={v}" for k, v in zip(("cert", "key"), pem(case["client"]))] if case["client"] != "none" else []
        client = Process(name + ".mote", [MOTE[case["mote"]] + "/h2_client", "--timeout", str(LIMIT_S), f"--ca={W}/{case['ca']}.pem"] +
                         more + [f"https://localhost:{port}/"])
        version = wanted(case)
        if version.startswith("no "):
            texts = {"no version": r"TLS: the peer has sent the alert 70, protocol_version|TLS: .*handshake_failure", "no key": r"TLS: the peer has sent the alert 40, handshake_failure|TLS: .*Key algorithm is unsupported|TLS: mbedTLS does not know the kind of the peer's key"}
            ok = client.until(texts[version])
        elif case["peer"] == "nginx":
            ok = client.until(rf"agreed on TLSv{re.escape(version)} HTTP/2.0\n")
        else:
            ok = peer.until(*says(SERVERS_SAY, case, version))
            if case["peer"] == "openssl":  # names of suites of TLS 1.3 alone begin so
                ok = ok and ("CIPHER is TLS_" in peer.said()) == (version == "1.3")
        return "" if ok else f"mote: {client.said()[-1500:]}\npeer: {peer.said()[:1500]}"
    finally:
        for p in client, peer:
            if p:
                p.end()


def mote_server(case, name):
    cert, key = pem(case["certificate"])
    more = [f"--ca={W}/{case['ca']}.pem"] if case["client"] != "none" else []
    server = Process(name + ".mote", [MOTE[case["mote"]] + "/h2_server", "--port=0", "--tls", f"--cert={cert}", f"--key={key}"] + more)
    peer = curl = None
    version = wanted(case)
    try:
        if version == "no key":
            return "" if server.until("the certificate cannot be read|the key cannot be read") else "no refusal: " + server.said()
        if not server.until("listening on"):
            return "mote does not listen: " + server.said()
        port = int(re.search(r"listening on .*:(\d+)", server.said()).group(1))
        peer = Process(name + ".peer", client_peer(case, name, port))
        if case["peer"] == "nginx":
            answers(case["front"])
            curl = Process(name + ".curl", ["curl", "-s", "--http2-prior-knowledge", "-o", "/dev/null", "-w", "status %{http_code}",
                                            f"http://127.0.0.1:{case['front']}/"])
            ok = curl.until("status 502" if version == "no version" else "status 200")
        else:
            ok = peer.until(REFUSED) if version == "no version" else peer.until(*says(CLIENTS_SAY, case, version))
        return "" if ok else f"mote: {server.said()[-1500:]}\npeer: {peer.said()[:1500]}"
    finally:
        for p in curl, peer, server:
            if p:
                p.end()


# ---- limits of mbedTLS: what OpenSSL's server sends or does then, and what mote says of it


CHAIN_ABOVE_A_RECORD = r"TLS: mbedTLS cannot take a message of the handshake, as a chain of certificates that is longer than a record"
KEY_UPDATE = "mbedTLS does not take this message after the handshake, as KeyUpdate"
NEW = [m for m in MOTE if m != "2.28"]
LIMITS = [
    # mbedTLS, certificates behind the server's own, what is typed at the server, its options, what is said
    (MOTE, ["rsa"] * 30 + ["middle"], "", [], CHAIN_ABOVE_A_RECORD),
    (MOTE, ["rsa"] * 6 + ["middle"], "", [], ""),  # within a record, in any order
    (MOTE, [], "", [], "TLS: the certificate of CN=chain is not signed by a trusted CA"),  # the one between is missing
    (MOTE, ["middle"], "k", ["-tls1_2"], ""),  # TLS 1.2 has none
    (NEW, ["middle"], "k", [], KEY_UPDATE),
    (MOTE, ["middle"], "", ["-cipher", "ECDHE-ECDSA-AES128-SHA256", "-tls1_2"], "TLS: the peer has sent the alert 40, handshake_failure"),
    (["2.28"], ["middle"], "", ["-tls1_3"], "TLS: the peer has sent the alert 70, protocol_version"),
]
LIMITS = [(mote, *row) for versions, *row in LIMITS for mote in versions]


def limit(number, mote, behind, typed, options, text):
    port, chain = free_port(), f"{W}/limit{number}.pem"
    with open(chain, "w") as out:
        for name in ["chain.first"] + behind:
            out.write(open(f"{W}/{name}.pem").read())
    server = Process(f"limit{number}.peer", ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", chain, "-cert_chain", chain,
                                             "-key", W + "/chain.key", "-alpn", "h2"] + options)
    client = None
    try:
        if not server.until("ACCEPT"):
            return "the peer does not listen: " + server.said()
        client = Process(f"limit{number}.mote", [MOTE[mote] + "/h2_client", "--timeout", str(LIMIT_S), f"--ca={W}/good.pem",
                                                 f"https://localhost:{port}/"])
        ok = not typed or server.until(r"PRI \* HTTP/2.0")
        server.process.stdin.write((typed + "\n").encode() if typed else b"")
        server.process.stdin.flush()
        ok = ok and (client.until(re.escape(text)) if text else server.until(r"PRI \* HTTP/2.0") and client.process.poll() is None)
        return "" if ok else f"mote: {client.said()[-800:]}\npeer: {server.said()[:800]}"
    finally:
        for p in client, server:
            if p:
                p.end()


def run(job):
    number, case = job
    case = dict(case)
    why = (mote_client if case["role"] == "client" else mote_server)(case, f"case{number}")
    return case, why


cases = list(all_cases())
chosen = cases if MODE == "all" else list(sample(cases))
failed = 0
with ThreadPoolExecutor(2) as pool:
    for case, why in pool.map(run, enumerate(chosen)):
        if why:
            failed += 1
            print("FAIL " + ", ".join(f"{k} {v}" for k, v in case.items()) + f" (wanted: {wanted(case)})\n" + why)
    for i, (why, row) in enumerate(zip(pool.map(lambda j: limit(j[0], *j[1]), enumerate(LIMITS)), LIMITS)):
        if why:
            failed += 1
            print(f"FAIL limit {i}, {row}\n{why}")
print(f"{len(chosen) + len(LIMITS) - failed} passed, {failed} failed")
sys.exit(failed > 0)
