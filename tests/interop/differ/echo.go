// An echo (fuzz/differ.h) on Go's net/http, HTTP/2 without TLS.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sort"
	"strings"
)

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var names []string
	for name := range r.Header {
		names = append(names, name)
	}
	sort.Slice(names, func(a, b int) bool { return strings.ToLower(names[a]) < strings.ToLower(names[b]) })
	out := fmt.Sprintf("%s %s %s\n", r.Method, r.RequestURI, r.Host)
	for _, name := range names {
		between := ", "
		if name == "Cookie" {
			between = "; "
		}
		out += strings.ToLower(name) + ": " + strings.Join(r.Header[name], between) + "\n"
	}
	w.Header()["Date"] = nil
	w.Header()["Content-Type"] = nil
	io.WriteString(w, out+"\n"+string(body))
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("listening on", listener.Addr())
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: http.HandlerFunc(echo), Protocols: protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 32}}
	panic(server.Serve(listener))
}
