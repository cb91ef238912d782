package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// serve answers every address by a handler, over a real connection, so that
// slow and broken answers are what they are in life.
func serve(t *testing.T, h http.HandlerFunc) http.RoundTripper {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Host = r.URL.Host
		r.URL.Scheme, r.URL.Host = base.Scheme, base.Host
		return srv.Client().Transport.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func packed(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGet(t *testing.T) {
	t.Parallel()
	rt := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/plain":
			w.Header().Set("Content-Type", "Application/JSON; charset=utf-8")
			_, _ = io.WriteString(w, r.Host+" "+r.Header.Get("Accept"))
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed(t, []byte("hello")))
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/moved":
			http.Redirect(w, r, "https://elsewhere.example.org/plain", http.StatusFound)
		}
	})
	c := New(Options{Transport: rt, Timeout: time.Minute})
	tests := []struct {
		name, url string
		want      Response
	}{
		{"as it is", "https://example.org/plain#part", Response{
			URL: "https://example.org/plain", Status: 200, ContentType: "application/json", Body: []byte("example.org a/b, c/d"),
		}},
		{"unpacked", "https://example.org/packed", Response{URL: "https://example.org/packed", Status: 200, Body: []byte("hello")}},
		{"any status", "https://example.org/gone", Response{URL: "https://example.org/gone", Status: 410, Body: []byte{}}},
		{"redirected", "https://example.org/moved", Response{
			URL: "https://elsewhere.example.org/plain", Redirected: true, Status: 200, ContentType: "application/json",
			Body: []byte("elsewhere.example.org a/b, c/d"),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Get(t.Context(), tt.url, 100, "a/b", "c/d")
			if err != nil {
				t.Fatal(err)
			}
			if got.URL != tt.want.URL || got.Status != tt.want.Status || got.Redirected != tt.want.Redirected || !bytes.Equal(got.Body, tt.want.Body) {
				t.Errorf("got %+v (%s), want %+v (%s)", got, got.Body, tt.want, tt.want.Body)
			}
			if tt.want.ContentType != "" && got.ContentType != tt.want.ContentType {
				t.Errorf("content type %q, want %q", got.ContentType, tt.want.ContentType)
			}
		})
	}
}

func TestForbiddenAddresses(t *testing.T) {
	t.Parallel()
	c := New(Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request left")
		return nil, errors.New("no")
	})})
	for _, address := range []string{
		"", "example.org", "//example.org/a", "http://example.org/", "ftp://example.org/", "file:///etc/passwd",
		"gopher://example.org/", "data:text/plain,hello", "javascript:alert(1)", "https:example.org", "https://",
		"https://user@example.org/", "https://user:password@example.org/",
		"https://example.org:8443/", "https://example.org:80/", "https://example.org:/", "https://example.org:22/",
		"https://127.0.0.1/", "https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://017700000001/",
		"https://0.0.0.0/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/",
		"https://169.254.169.254/latest/meta-data/", "https://192.0.2.1/", "https://224.0.0.1/", "https://255.255.255.255/",
		"https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[fe80::1]/",
		"https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/", "https://[ff02::1]/", "https://[2001:db8::1]/",
		"https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://printer.local/", "https://intranet/",
		"https://metadata.google.internal/", "https://a..example.org/", "https://1.0.0.127.in-addr.arpa/",
		"https://example.org/" + strings.Repeat("a", maxURLBytes), "https://exa mple.org/", "https://example.org/%zz", "https://[::1/",
	} {
		if _, err := c.Get(t.Context(), address, 10); !errors.Is(err, ErrForbidden) {
			t.Errorf("%.60q: %v, want ErrForbidden", address, err)
		}
	}
}

func TestHTTPOnlyWhenTold(t *testing.T) {
	t.Parallel()
	rt := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	c := New(Options{Transport: rt, AllowHTTP: true, Timeout: time.Minute})
	if _, err := c.Get(t.Context(), "http://example.org/", 10); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), "http://example.org:80/", 10); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), "http://example.org:443/", 10); !errors.Is(err, ErrForbidden) {
		t.Errorf("%v, want ErrForbidden", err)
	}
}

// The real client never connects to this machine, whatever name led there.
func TestGuardAtDialTime(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	transport := guarded(true, nil)
	defer transport.CloseIdleConnections()
	for _, target := range []string{listener.Addr().String(), "127.0.0.1:443", "[::1]:443", "[::ffff:127.0.0.1]:80", "10.1.2.3:443"} {
		conn, err := transport.DialContext(t.Context(), "tcp", target)
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s: connected", target)
			continue
		}
		if got := classify(t.Context(), &url.Error{Op: "Get", URL: "https://example.org", Err: err}); !errors.Is(got, ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", target, got)
		}
	}
	if transport.Proxy != nil {
		t.Error("the client would ask a proxy to dial")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("a"), 1<<20)
	bomb := packed(t, big)
	rt := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/announced":
			_, _ = w.Write(big)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(big[:4096]); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		case "/fits":
			_, _ = w.Write(big[:1000])
		case "/brotli":
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write(big[:10])
		case "/brokengzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(big[:10])
		case "/loop":
			http.Redirect(w, r, "https://example.org/loop", http.StatusFound)
		case "/private":
			http.Redirect(w, r, "https://169.254.169.254/", http.StatusFound)
		case "/downgrade":
			http.Redirect(w, r, "http://example.org/fits", http.StatusFound)
		case "/port":
			http.Redirect(w, r, "https://example.org:6379/", http.StatusFound)
		case "/silent":
			<-r.Context().Done()
		case "/drip":
			for r.Context().Err() == nil {
				_, _ = w.Write(big[:1])
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		}
	})
	hasty, patient := New(Options{Transport: rt, Timeout: 200 * time.Millisecond}), New(Options{Transport: rt, Timeout: time.Minute})
	tests := []struct {
		path string
		want error
	}{
		{"/announced", ErrTooLarge},
		{"/endless", ErrTooLarge},
		{"/bomb", ErrTooLarge},
		{"/fits", nil},
		{"/brotli", ErrUnreachable},
		{"/brokengzip", ErrUnreachable},
		{"/loop", ErrRedirects},
		{"/private", ErrForbidden},
		{"/downgrade", ErrForbidden},
		{"/port", ErrForbidden},
		{"/silent", ErrTimeout},
		{"/drip", ErrTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			c := patient
			if errors.Is(tt.want, ErrTimeout) {
				c = hasty
			}
			_, err := c.Get(t.Context(), "https://example.org"+tt.path, 1000)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "example.org") {
				t.Errorf("the error names the address: %v", err)
			}
		})
	}
}

func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	if _, err := New(Options{Transport: transport, Timeout: time.Minute}).Get(t.Context(), "https://example.org/", 10); !errors.Is(err, ErrUntrusted) {
		t.Errorf("%v, want ErrUntrusted", err)
	}
}

func TestUnreachableAndCanceled(t *testing.T) {
	t.Parallel()
	c := New(Options{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return nil, errors.New("connection refused")
	})})
	if _, err := c.Get(t.Context(), "https://example.org/", 10); !errors.Is(err, ErrUnreachable) {
		t.Errorf("%v, want ErrUnreachable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ctx, "https://example.org/", 10); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	bodies := map[string][]byte{
		"/png":   []byte("\x89PNG\r\n\x1a\nrest"),
		"/jpeg":  []byte("\xff\xd8\xff\xe0rest of it"),
		"/gif":   []byte("GIF89arest"),
		"/short": []byte("\xff\xd8\xff"),
		"/html":  []byte("<html><img src=x></html>"),
		"/svg":   []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"),
		"/empty": nil,
		"/huge":  append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, MaxPictureBytes)...),
	}
	rt := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, known := bodies[r.URL.Path]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(body)
	})
	c := New(Options{Transport: rt, Timeout: time.Minute})
	tests := []struct {
		path string
		want error
	}{
		{"/png", nil},
		{"/jpeg", nil},
		{"/gif", nil},
		{"/short", nil},
		{"/html", ErrNotPicture},
		{"/svg", ErrNotPicture},
		{"/empty", ErrNotPicture},
		{"/huge", ErrTooLarge},
		{"/missing", ErrStatus},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			if err := c.Picture(t.Context(), "https://example.org"+tt.path); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"https://example.org/", "https://127.0.0.1/", "https://[::1]/", "http://a.b", "https://0x7f.1", "https://a:443"} {
		f.Add(seed)
	}
	c := New(Options{})
	f.Fuzz(func(t *testing.T, address string) {
		u, err := c.parse(address)
		if err != nil {
			if !errors.Is(err, ErrForbidden) {
				t.Fatalf("%q: %v", address, err)
			}
			return
		}
		if u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			t.Fatalf("%q passed as %q", address, u)
		}
		if ip := net.ParseIP(u.Hostname()); ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()) {
			t.Fatalf("%q passed, which is private", address)
		}
	})
}
