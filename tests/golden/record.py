"""Records what a real client sends, or with --answers what a real server does:
record.py SERVER_ADDRESS FILE LISTEN_PORT [--answers]; ends with the client."""
import socket
import sys
import threading

host, port = sys.argv[1].rsplit(":", 1)
listener = socket.create_server(("127.0.0.1", int(sys.argv[3])))
client, _ = listener.accept()
server = socket.create_connection((host, int(port)))
answers_count = "--answers" in sys.argv[4:]


def copy(source, to, out):
    try:
        while data := source.recv(65536):
            if out:
                out.write(data)
            to.sendall(data)
    except ConnectionResetError:
        pass


with open(sys.argv[2], "wb") as out:
    threading.Thread(target=lambda: (copy(server, client, out if answers_count else None), client.close()), daemon=True).start()
    copy(client, server, None if answers_count else out)
