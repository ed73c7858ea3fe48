// A client of Go beside that of grpcio in tests/peers/ending.py, whose servers are stopped and started in turn:
//
//	restart unary CONFIG ADDRESS...    mote.tour.Tour/Latest by grpc-go, with this service config
//	restart upload CONFIG ADDRESS...   mote.telemetry.Telemetry/Upload, 20 samples in each call, and all must be said to be stored
//	restart http - ADDRESS...          GET and POST by net/http
//
// It works until its input ends, then says "done N", the least calls of its eight workers, and "failed ERROR" for each that failed.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/protobuf/encoding/protowire"
)

const workers, samples = 8, 20

// Messages are bytes: no generated code.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }
func (raw) Name() string                       { return "proto" }

func connect(config string, addresses []string) *grpc.ClientConn {
	found := manual.NewBuilderWithScheme("pair")
	var state resolver.State
	for _, a := range addresses {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: a})
	}
	found.InitialState(state)
	soon := grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.2, MaxDelay: 200 * time.Millisecond},
		MinConnectTimeout: 5 * time.Second}
	conn, err := grpc.NewClient("pair:///", grpc.WithResolvers(found), grpc.WithDefaultServiceConfig(config), grpc.WithConnectParams(soon),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		panic(err)
	}
	return conn
}

func latest(ctx context.Context, conn *grpc.ClientConn) error {
	query, note := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "t"), []byte{}
	return conn.Invoke(ctx, "/mote.tour.Tour/Latest", &query, &note)
}

func sample(sequence int) []byte {
	s := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(sequence))
	s = protowire.AppendVarint(protowire.AppendTag(s, 2, protowire.VarintType), 1)
	return protowire.AppendString(protowire.AppendTag(s, 3, protowire.BytesType), "m")
}

func upload(ctx context.Context, conn *grpc.ClientConn, worker, nth int) error {
	ctx = metadata.AppendToOutgoingContext(ctx, "device-id", fmt.Sprint("go", worker), "device-epoch", fmt.Sprintf("%016x", worker+1))
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, "/mote.telemetry.Telemetry/Upload")
	for i := 1; err == nil && i <= samples; i++ {
		message := sample(nth*samples + i)
		if err = stream.SendMsg(&message); err == io.EOF { // its status comes by RecvMsg
			err = nil
			break
		}
	}
	if err != nil {
		return err
	}
	summary := []byte{}
	stream.CloseSend()
	if err = stream.RecvMsg(&summary); err == nil && !bytes.Equal(summary, []byte{8, samples}) {
		err = fmt.Errorf("the summary is %x", summary)
	}
	return err
}

// Of several addresses the first that is there, as for a name that has them.
func transport(addresses []string) *http.Transport {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	return &http.Transport{Protocols: &p, DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		for _, a := range addresses {
			if conn, err = new(net.Dialer).DialContext(ctx, "tcp", a); err == nil {
				break
			}
		}
		return
	}}
}

func get(client *http.Client, nth int) error {
	wanted := bytes.Repeat([]byte("mote"), 1000)
	r, err := client.Get("http://pair/")
	if nth%2 == 1 {
		r, err = client.Post("http://pair/echo", "text/plain", bytes.NewReader(wanted))
	}
	if err != nil {
		return err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && (r.StatusCode != 200 || len(body) == 0 || nth%2 == 1 && !bytes.Equal(body, wanted)) {
		err = fmt.Errorf("status %d with %d bytes", r.StatusCode, len(body))
	}
	return err
}

// What one worker repeats.
func work(kind, config string, addresses []string, worker int) func(ctx context.Context, nth int) error {
	if kind == "http" {
		client := &http.Client{Transport: transport(addresses), Timeout: 10 * time.Second}
		return func(_ context.Context, nth int) error { return get(client, nth) }
	}
	conn := connect(config, addresses)
	if kind == "upload" {
		return func(ctx context.Context, nth int) error { return upload(ctx, conn, worker, nth) }
	}
	return func(ctx context.Context, _ int) error { return latest(ctx, conn) }
}

func main() {
	var over atomic.Bool
	var group sync.WaitGroup
	var done [workers]int

	for i := range workers {
		group.Go(func() {
			once := work(os.Args[1], os.Args[2], os.Args[3:], i)
			for ; !over.Load(); done[i]++ {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				if err := once(ctx, done[i]); err != nil {
					fmt.Println("failed", err)
				}
				cancel()
			}
		})
	}
	io.Copy(io.Discard, os.Stdin)
	over.Store(true)
	group.Wait()
	least := done[0]
	for _, n := range done {
		least = min(least, n)
	}
	fmt.Println("done", least)
}
