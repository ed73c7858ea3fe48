// Go's crypto/tls as a peer: tls_peer server|client PORT VERSIONS CERTIFICATE KEY CA
// VERSIONS is 1.2, 1.3 or both; CERTIFICATE and CA may be "-". Prints what was agreed on, and what came first.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
)

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func settings(versions, cert, key, ca string, server bool) *tls.Config {
	c := &tls.Config{NextProtos: []string{"h2"}, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if versions == "1.2" {
		c.MaxVersion = tls.VersionTLS12
	}
	if versions == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	if cert != "-" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		must(err)
		c.Certificates = []tls.Certificate{pair}
	}
	if ca != "-" {
		pem, err := os.ReadFile(ca)
		must(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		c.RootCAs, c.ClientCAs = pool, pool
		if server {
			c.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	return c
}

func talk(conn *tls.Conn, say string, expect int) {
	must(conn.Handshake())
	s := conn.ConnectionState()
	fmt.Printf("agreed on TLS 1.%d %s\n", s.Version-tls.VersionTLS10, s.NegotiatedProtocol)
	io.WriteString(conn, say)
	heard := make([]byte, expect)
	_, err := io.ReadFull(conn, heard)
	must(err)
	fmt.Printf("heard %q\n", heard)
}

func main() {
	a := os.Args
	server := a[1] == "server"
	c := settings(a[3], a[4], a[5], a[6], server)
	if !server {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+a[2], c)
		must(err)
		talk(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 5)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+a[2])
	must(err)
	fmt.Println("listening")
	conn, err := listener.Accept()
	must(err)
	talk(tls.Server(conn, c), "", 24)
}
