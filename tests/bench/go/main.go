// grpc-go's side of the scenarios; see scenario.c.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

const open = 64

func check(err error) {
	if err != nil {
		log.Fatalf("scenario: error: %v", err)
	}
}

// ---- server

type server struct {
	pb.UnimplementedBenchmarkServiceServer
}

func response(request *pb.SimpleRequest) *pb.SimpleResponse {
	return &pb.SimpleResponse{Payload: &pb.Payload{Body: make([]byte, request.ResponseSize)}}
}

func (server) UnaryCall(_ context.Context, request *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return response(request), nil
}

func (server) StreamingCall(stream pb.BenchmarkService_StreamingCallServer) error {
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(response(request)); err != nil {
			return err
		}
	}
}

func (server) StreamingFromClient(stream pb.BenchmarkService_StreamingFromClientServer) error {
	count, bytes := 0, 0
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.SimpleResponse{ServerId: fmt.Sprintf("%d:%d", count, bytes)})
		}
		if err != nil {
			return err
		}
		count++
		bytes += len(request.GetPayload().GetBody())
	}
}

func (server) StreamingFromServer(request *pb.SimpleRequest, stream pb.BenchmarkService_StreamingFromServerServer) error {
	message := response(request)
	for {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	s := grpc.NewServer()
	pb.RegisterBenchmarkServiceServer(s, server{})
	fmt.Printf("listening on %s\n", listener.Addr())
	check(s.Serve(listener))
}

// ---- client

var (
	client      pb.BenchmarkServiceClient
	count, size int
	roundTrips  []float64
)

func ask() *pb.SimpleRequest {
	return &pb.SimpleRequest{ResponseSize: int32(size), Payload: &pb.Payload{Body: make([]byte, size)}}
}

func checked(r *pb.SimpleResponse, err error) {
	check(err)
	if len(r.GetPayload().GetBody()) != size {
		log.Fatal("scenario: error: a response is wrong")
	}
}

func unary() {
	request := ask()
	for i := range roundTrips {
		before := time.Now()
		checked(client.UnaryCall(context.Background(), request))
		roundTrips[i] = time.Since(before).Seconds()
	}
}

func ping() {
	stream, err := client.StreamingCall(context.Background())
	check(err)
	request := ask()
	for i := range roundTrips {
		before := time.Now()
		check(stream.Send(request))
		checked(stream.Recv())
		roundTrips[i] = time.Since(before).Seconds()
	}
	check(stream.CloseSend())
	if _, err = stream.Recv(); err != io.EOF {
		log.Fatalf("scenario: error: %v", err)
	}
}

func upload() {
	stream, err := client.StreamingFromClient(context.Background())
	check(err)
	request := ask()
	for i := 0; i < count; i++ {
		check(stream.Send(request))
	}
	summary, err := stream.CloseAndRecv()
	check(err)
	if summary.ServerId != fmt.Sprintf("%d:%d", count, count*size) {
		log.Fatal("scenario: error: the summary is wrong")
	}
}

func download() {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := client.StreamingFromServer(ctx, ask())
	check(err)
	for i := 0; i < count; i++ {
		checked(stream.Recv())
	}
	cancel()
	if _, err = stream.Recv(); err != nil && status.Code(err) != codes.Canceled {
		log.Fatalf("scenario: error: %v", err)
	}
}

func throughput() {
	request := ask()
	var group sync.WaitGroup
	calls := make(chan struct{}, open)
	for i := 0; i < open; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for range calls {
				checked(client.UnaryCall(context.Background(), request))
			}
		}()
	}
	for i := 0; i < count; i++ {
		calls <- struct{}{}
	}
	close(calls)
	group.Wait()
}

func cpu() float64 {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func main() {
	if len(os.Args) == 2 {
		serve()
	}
	if len(os.Args) != 6 {
		log.Fatal("usage: scenario server | scenario client SCENARIO ADDRESS COUNT SIZE")
	}
	count, _ = strconv.Atoi(os.Args[4])
	size, _ = strconv.Atoi(os.Args[5])
	roundTrips = make([]float64, count)
	connection, err := grpc.NewClient(os.Args[3], grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	client = pb.NewBenchmarkServiceClient(connection)
	start, used := time.Now(), cpu()
	map[string]func(){"unary": unary, "ping": ping, "throughput": throughput, "upload": upload, "download": download}[os.Args[2]]()
	passed, spent := time.Since(start).Seconds(), cpu()-used
	sort.Float64s(roundTrips)
	fmt.Printf("%.0f %.1f %.1f %.0f\n", float64(count)/passed, roundTrips[count/2]*1e6, roundTrips[count*99/100]*1e6,
		spent/float64(count)*1e9)
}
