// net/http of Go as a plain HTTP/2 peer, with prior knowledge.
//
//	echo server --port=N            POST: what was sent; GET /N: N times 'm'
//	echo client --url=URL --size=N  posts N bytes and compares what comes back
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

func serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == "POST" {
		io.Copy(w, r.Body)
		return
	}
	n, _ := strconv.ParseInt(r.URL.Path[1:], 10, 64)
	piece := bytes.Repeat([]byte("m"), 65536)
	for ; n > 0; n -= int64(len(piece)) {
		w.Write(piece[:min(n, int64(len(piece)))])
	}
}

// Bytes that differ from place to place, up to a size; and whether what is written is the same.
type pattern struct{ at, size int64 }

func (p *pattern) Read(out []byte) (int, error) {
	n := min(int64(len(out)), p.size-p.at)
	for i := range out[:n] {
		out[i] = byte((p.at + int64(i)) * 31 >> 3)
	}
	p.at += n
	if n == 0 {
		return 0, io.EOF
	}
	return int(n), nil
}

func (p *pattern) Write(in []byte) (int, error) {
	for i := range in {
		if in[i] != byte((p.at+int64(i))*31>>3) {
			return i, fmt.Errorf("byte %d differs", p.at+int64(i))
		}
	}
	p.at += int64(len(in))
	return len(in), nil
}

func post(url string, size int64) error {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	client := http.Client{Transport: &http.Transport{Protocols: &p}}
	r, err := client.Post(url, "application/octet-stream", &pattern{size: size})
	if err != nil {
		return err
	}
	var got pattern
	if _, err = io.Copy(&got, r.Body); err == nil && (r.StatusCode != 200 || got.at != size) {
		err = fmt.Errorf("status %d, %d bytes in place of %d", r.StatusCode, got.at, size)
	}
	return err
}

func main() {
	set := flag.NewFlagSet("echo", flag.ExitOnError)
	port := set.Int("port", 0, "")
	url := set.String("url", "", "")
	size := set.Int64("size", 0, "")
	set.Parse(os.Args[2:])
	err := error(nil)
	if os.Args[1] == "client" {
		err = post(*url, *size)
	} else {
		s := http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", *port), Handler: http.HandlerFunc(serve), Protocols: new(http.Protocols)}
		s.Protocols.SetUnencryptedHTTP2(true)
		err = s.ListenAndServe()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
