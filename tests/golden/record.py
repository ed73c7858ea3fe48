"""Records what a real client sends: record.py SERVER_ADDRESS FILE LISTEN_PORT; ends with the client."""
import socket
import sys
import threading

host, port = sys.argv[1].rsplit(":", 1)
listener = socket.create_server(("127.0.0.1", int(sys.argv[3])))
client, _ = listener.accept()
server = socket.create_connection((host, int(port)))


def answers():
    while data := server.recv(65536):
        client.sendall(data)
    client.close()


threading.Thread(target=answers, daemon=True).start()
with open(sys.argv[2], "wb") as out:
    try:
        while data := client.recv(65536):
            out.write(data)
            server.sendall(data)
    except ConnectionResetError:
        pass
