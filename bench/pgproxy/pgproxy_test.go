package pgproxy_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/bench/pgproxy"
)

func message(kind, body string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte(kind), uint32(4+len(body))), body...)
}

func TestCopyMessage(t *testing.T) {
	t.Parallel()
	in := append(message("", "start"), append(message("P", "parse"), message("S", "")...)...)
	r, out := bytes.NewReader(in), &bytes.Buffer{}
	for i, want := range []byte{0, 'P', 'S'} {
		if kind, err := pgproxy.CopyMessage(out, r, i == 0); err != nil || kind != want {
			t.Errorf("message %d: got %q, %v; want %q", i, kind, err, want)
		}
	}
	if !bytes.Equal(out.Bytes(), in) {
		t.Error("what is passed on differs")
	}
	for name, wrong := range map[string]string{
		"too short": "Q\x00\x00\x00\x01", "too long": "Q\x7f\x00\x00\x00", "cut off": "Q\x00\x00\x00\x09abc",
	} {
		if _, err := pgproxy.CopyMessage(io.Discard, strings.NewReader(wrong), false); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// TestProxy lets a client's words reach a server that sends them back.
func TestProxy(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	server, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(conn, conn)
		_ = conn.Close()
	}()
	p, err := pgproxy.Start(t.Context(), server.Addr().String(), func() pgproxy.Passing {
		return pgproxy.Passing{
			Forward: func(client, server net.Conn) { _, _ = io.Copy(server, client) },
			Back:    func(client, server net.Conn) { _, _ = io.Copy(client, server) },
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	client, err := d.DialContext(t.Context(), "tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	said, heard := "hello", make([]byte, 5)
	if _, err := io.WriteString(client, said); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, heard); err != nil || string(heard) != said {
		t.Errorf("heard %q, %v", heard, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Read(heard); err == nil {
		t.Error("the connection outlives the proxy")
	}
}
