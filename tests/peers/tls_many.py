"""200 handshakes at the same time with one server, beside one that stalls; each connection then speaks HTTP/2.

  tls_many.py PORT CA
"""
import asyncio
import ssl
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


async def one(port, context, start):
    await start.wait()
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    writer.write(PREFACE)
    head = await reader.readexactly(9)
    assert head[3] == 4, "the first frame is no SETTINGS frame"
    return writer


async def main(port, ca):
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["h2"])
    stalled = await asyncio.open_connection("localhost", port)
    stalled[1].write(b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03")
    start = asyncio.Event()
    tasks = [asyncio.ensure_future(one(port, context, start)) for _ in range(200)]
    start.set()
    writers = await asyncio.wait_for(asyncio.gather(*tasks), 60)
    assert len(writers) == 200
    for w in writers:
        w.close()


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
