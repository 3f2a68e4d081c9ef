package direct

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// sender makes the requests to `POST /api/ingest` for one lane.
type sender struct {
	header        lane.Header
	url, key      string
	client        *http.Client
	hasSentWriter bool
	stopOnce      *sync.Once
	stopping      chan struct{}
	ctx           context.Context // cancelled by stop, which ends a request on its way
	cancel        context.CancelFunc
}

func newSender(header lane.Header, url, key string) sender {
	ctx, cancel := context.WithCancel(context.Background())
	return sender{
		header: header, url: url, key: key,
		client: &http.Client{
			Timeout: limits.RequestTimeout,
			// A transport of its own: the program may have changed or closed the default one.
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1,
				IdleConnTimeout: limits.IdleConnection, TLSHandshakeTimeout: limits.RequestTimeout,
			},
			// A redirected POST becomes a GET, whose answer means something else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		stopOnce: &sync.Once{}, stopping: make(chan struct{}), ctx: ctx, cancel: cancel,
	}
}

func (s *sender) stop() {
	s.stopOnce.Do(func() {
		close(s.stopping)
		s.cancel()
		s.client.CloseIdleConnections()
	})
}

// result is the server's answer for a batch.
type result struct {
	kind       resultKind
	applied    int64         // the last sequence that the server has
	isWatched  bool          // a page shows the session live
	slowDown   time.Duration // the pause that the server asks for before the next request
	retryAfter time.Duration
}

type resultKind uint8

const (
	unanswered resultKind = iota // to be sent again
	applied                      // the server has all up to result.applied, which may be less than the batch
	refused                      // the server does not accept the batch as it is
	gone                         // the session was deleted
)

func (s *sender) send(b batch) result {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.url+"/api/ingest", bytes.NewReader(s.body(b)))
	if err != nil {
		return result{kind: unanswered}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", "gzip")
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return result{kind: unanswered}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, limits.MaxAnswerBytes))
	if err != nil {
		return result{kind: unanswered}
	}
	switch response.StatusCode {
	case http.StatusOK:
		return s.read(text)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return result{kind: refused}
	case http.StatusGone:
		return result{kind: gone}
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return result{kind: unanswered, retryAfter: time.Duration(seconds) * time.Second}
}

// read finds the result of this lane's batch in an answer.
func (s *sender) read(text []byte) result {
	var answer struct {
		Results []struct {
			Lane    string `json:"lane"`
			Applied int64  `json:"applied"`
			Watched bool   `json:"watched"`
			Error   *struct {
				Code string `json:"code"`
			} `json:"error"`
		} `json:"results"`
		SlowDownMs int64 `json:"slow_down_ms"`
	}
	if json.Unmarshal(text, &answer) != nil {
		return result{kind: unanswered}
	}
	slowDown := time.Duration(answer.SlowDownMs) * time.Millisecond
	for _, each := range answer.Results {
		if each.Lane != s.header.Lane {
			continue
		}
		code := ""
		if each.Error != nil {
			code = each.Error.Code
		}
		switch code {
		case "", "lane_gap", "lane_overlap":
			s.hasSentWriter = true
			return result{kind: applied, applied: each.Applied, isWatched: each.Watched, slowDown: slowDown}
		case "internal", "unavailable", "too_many_requests", "unauthorized", "forbidden", "locked":
			return result{kind: unanswered, retryAfter: slowDown}
		case "gone":
			return result{kind: gone}
		}
		return result{kind: refused}
	}
	return result{kind: unanswered, retryAfter: slowDown}
}

// body is the compressed request for one batch.
func (s *sender) body(b batch) []byte {
	size := requestBytes
	for _, op := range b.ops {
		size += len(op.text) + 1
	}
	j := make([]byte, 0, size)
	j = strconv.AppendInt(append(j, `{"sent_at":`...), time.Now().UnixMilli(), 10)
	j = encode.AppendString(append(j, `,"batches":[{"session":`...), s.header.Session)
	j = encode.AppendString(append(j, `,"lane":`...), s.header.Lane)
	j = strconv.AppendInt(append(j, `,"first":`...), b.first, 10)
	j = strconv.AppendInt(append(j, `,"last":`...), b.last, 10)
	j = append(j, `,"ops":[`...)
	for i, op := range b.ops {
		if i > 0 {
			j = append(j, ',')
		}
		j = append(j, op.text...)
	}
	j = append(j, ']')
	j = b.appendDropped(j)
	if !s.hasSentWriter {
		j = s.header.Writer.AppendJSON(append(j, `,"writer":`...))
	}
	j = strconv.AppendInt(append(j, `,"lease_ms":`...), limits.Lease.Milliseconds(), 10)
	j = append(j, "}]}"...)

	var packed bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	gz.Write(j) //nolint:errcheck // a buffer accepts everything
	gz.Close()  //nolint:errcheck
	return packed.Bytes()
}

// requestBytes is the usual length of a request without its ops.
const requestBytes = 1024
