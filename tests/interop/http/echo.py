"""Python as a plain HTTP/2 peer: hypercorn serves `app`, httpx (h2) is the client.

    echo.py client --url=URL --size=N   posts N bytes and compares what comes back
"""
import sys

PIECE = bytes((i * 31 >> 3) & 255 for i in range(65536))  # repeats after 2,048 bytes


async def app(scope, receive, send):
    """POST: what was sent; GET /N: N times 'm'."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["method"] == "POST":
        more = True
        while more:
            event = await receive()
            more = event.get("more_body", False)
            await send({"type": "http.response.body", "body": event.get("body", b""), "more_body": True})
    else:
        left = int(scope["path"][1:] or 0)
        while left > 0:
            n = min(left, 65536)
            left -= n
            await send({"type": "http.response.body", "body": b"m" * n, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def pieces(size):
    while size > 0:
        n = min(size, len(PIECE))
        size -= n
        yield PIECE[:n]


def post(url, size):
    import httpx

    client = httpx.Client(http1=False, http2=True, timeout=60)
    got = 0
    with client.stream("POST", url, content=pieces(size), headers={"content-length": str(size)}) as answer:
        for part in answer.iter_raw():
            start = got % 2048
            expected = (PIECE * (1 + (start + len(part)) // len(PIECE)))[start : start + len(part)]
            if part != expected:
                sys.exit(f"error: bytes behind {got} differ")
            got += len(part)
        if answer.status_code != 200 or got != size:
            sys.exit(f"error: status {answer.status_code}, {got} bytes in place of {size}")


if __name__ == "__main__":
    given = dict(a[2:].split("=", 1) for a in sys.argv[2:])
    post(given["url"], int(given["size"]))
