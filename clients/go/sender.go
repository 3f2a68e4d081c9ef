package datacat

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
)

// sender speaks `POST /api/ingest` for one lane.
type sender struct {
	header   header
	url, key string
	client   *http.Client
	told     bool // the server knows who writes
	once     *sync.Once
	stopping chan struct{}
	ctx      context.Context // cancelled by stop, to give up a request that is on its way
	cancel   context.CancelFunc
}

func newSender(h header, url, key string) sender {
	ctx, cancel := context.WithCancel(context.Background())
	return sender{
		header: h, url: url + "/api/ingest", key: key,
		client: &http.Client{
			Timeout: requestTimeout,
			// Our own: the program's connections, and what it made of the default transport, are its own business.
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1,
				IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: requestTimeout,
			},
			// A POST that is redirected becomes a GET: better no answer than a wrong one.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		once: &sync.Once{}, stopping: make(chan struct{}), ctx: ctx, cancel: cancel,
	}
}

func (s *sender) stop() {
	s.once.Do(func() {
		close(s.stopping)
		s.cancel()
		s.client.CloseIdleConnections()
	})
}

// verdict is what became of a batch.
type verdict struct {
	kind       verdictKind
	applied    int64         // the highest sequence the server has
	slowDown   time.Duration // before the next request
	retryAfter time.Duration
}

type verdictKind uint8

const (
	unanswered verdictKind = iota // try again
	applied                       // the server has all up to `applied`, which may be less than the batch
	refused                       // not as it is, now or ever
	gone                          // nor anything else of this session
)

func (s *sender) send(b batch) verdict {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.url, bytes.NewReader(s.body(b)))
	if err != nil {
		return verdict{kind: unanswered}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", "gzip")
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return verdict{kind: unanswered}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return verdict{kind: unanswered}
	}
	switch response.StatusCode {
	case http.StatusOK:
		return s.judge(text)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return verdict{kind: refused}
	case http.StatusGone:
		return verdict{kind: gone}
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return verdict{kind: unanswered, retryAfter: time.Duration(seconds) * time.Second}
}

// judge reads the answer for our batch.
func (s *sender) judge(text []byte) verdict {
	var answer struct {
		Results []struct {
			Lane    string `json:"lane"`
			Applied int64  `json:"applied"`
			Error   *struct {
				Code string `json:"code"`
			} `json:"error"`
		} `json:"results"`
		SlowDownMs int64 `json:"slow_down_ms"`
	}
	if json.Unmarshal(text, &answer) != nil {
		return verdict{kind: unanswered}
	}
	slowDown := time.Duration(answer.SlowDownMs) * time.Millisecond
	for _, result := range answer.Results {
		if result.Lane != s.header.lane {
			continue
		}
		code := ""
		if result.Error != nil {
			code = result.Error.Code
		}
		switch code {
		case "", "lane_gap", "lane_overlap":
			s.told = true
			return verdict{kind: applied, applied: result.Applied, slowDown: slowDown}
		case "internal", "unavailable", "too_many_requests", "unauthorized", "forbidden", "locked":
			return verdict{kind: unanswered, retryAfter: slowDown}
		case "gone":
			return verdict{kind: gone}
		}
		return verdict{kind: refused}
	}
	return verdict{kind: unanswered, retryAfter: slowDown}
}

// body is the request for one batch, compressed. Sequences without an op are accounted for in `dropped`.
func (s *sender) body(b batch) []byte {
	j := make([]byte, 0, 1024)
	j = strconv.AppendInt(append(j, `{"sent_at":`...), time.Now().UnixMilli(), 10)
	j = appendString(append(j, `,"batches":[{"session":`...), s.header.session)
	j = appendString(append(j, `,"lane":`...), s.header.lane)
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
	j = appendDropped(j, b)
	if !s.told {
		j = s.header.writer.append(append(j, `,"writer":`...))
	}
	j = strconv.AppendInt(append(j, `,"lease_ms":`...), leaseFor.Milliseconds(), 10)
	j = append(j, "}]}"...)

	var packed bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	gz.Write(j) //nolint:errcheck // a buffer takes everything
	gz.Close()  //nolint:errcheck
	return packed.Bytes()
}

func appendDropped(j []byte, b batch) []byte {
	missing := b.last - b.first + 1 - int64(len(b.ops))
	full := missing - int64(b.refused)
	if missing <= 0 {
		return j
	}
	j = append(j, `,"dropped":{`...)
	if full > 0 {
		j = strconv.AppendInt(append(j, `"queue_full":`...), full, 10)
	}
	if b.refused > 0 {
		if full > 0 {
			j = append(j, ',')
		}
		j = strconv.AppendInt(append(j, `"refused":`...), int64(b.refused), 10)
	}
	return append(j, '}')
}
