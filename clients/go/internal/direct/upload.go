package direct

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/datacat/datacat/clients/go/v2/internal/attachment"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// uploads is the content of attachments that waits in memory, and one goroutine that sends it, a chunk at a time, after the
// server has answered for the ops.
type uploads struct {
	waiting   []upload
	bytes     int
	isRunning bool
}

type upload struct {
	id       string
	content  []byte
	sequence int64 // its op has this one or an earlier one
}

// Reserve keeps room for content, or returns why there is none.
func (q *Queue) Reserve(size int) *attachment.Lost {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.uploads.bytes+size > limits.WaitingBytes {
		bytes := strconv.Itoa(size)
		return &attachment.Lost{
			Cause: "queue_full", Detail: bytes + " bytes",
			Reason: "there is no room for its " + bytes + " bytes among the " + strconv.Itoa(limits.WaitingBytes) + " that may wait in memory",
		}
	}
	q.uploads.bytes += size
	return nil
}

// Upload sends content that has room, after its op.
func (q *Queue) Upload(id string, content []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isStopped {
		return
	}
	q.uploads.waiting = append(q.uploads.waiting, upload{id, content, q.sequence})
	q.isUrgent = true
	q.wakeSender()
	if !q.uploads.isRunning {
		q.uploads.isRunning = true
		go q.runUploads()
	}
}

func (q *Queue) runUploads() {
	random := rand.New(rand.NewSource(time.Now().UnixNano())) // one of its own, because it serves one goroutine
	for {
		q.mu.Lock()
		if len(q.uploads.waiting) == 0 || q.isStopped {
			q.uploads.isRunning = false
			q.mu.Unlock()
			return
		}
		next, applied, changed := q.uploads.waiting[0], q.applied, q.changed
		q.mu.Unlock()
		if applied < next.sequence {
			select {
			case <-changed:
			case <-q.done:
			}
			continue
		}
		q.upload(next, random)
		q.mu.Lock()
		if len(q.uploads.waiting) > 0 { // else all were dropped meanwhile
			q.uploads.waiting = q.uploads.waiting[1:]
			q.uploads.bytes -= len(next.content)
		}
		q.announce()
		q.mu.Unlock()
	}
}

// upload sends one attachment until the server has it, or has refused it for good, or the sender ends.
func (q *Queue) upload(u upload, random *rand.Rand) {
	delay := limits.RetryFirst
	missing, received, unknown := -1, -1, 0
	for {
		answer := q.sender.chunk(u, missing)
		if answer.progress.Complete || answer.progress.Refused != nil {
			return
		}
		switch answer.status {
		case http.StatusOK:
			before := received
			missing, received = answer.progress.missing()
			if missing >= 0 && received > before {
				delay = limits.RetryFirst
				continue
			}
		case http.StatusNotFound: // the op was dropped because the queue was full
			if unknown++; unknown >= limits.UnknownAnswers {
				return
			}
		case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			return
		}
		missing, received = -1, -1 // what the server has is asked for again
		if !q.pauseUpload(retryPause(random, delay, answer.retryAfter)) {
			return
		}
		if delay *= 2; delay > limits.RetryLongest {
			delay = limits.RetryLongest
		}
	}
}

func (q *Queue) pauseUpload(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-q.done:
		return false
	case <-q.sender.stopping:
		return false
	}
}

// progress is what the server has of an attachment.
type progress struct {
	Chunks   int     `json:"chunks"`
	Received []int   `json:"received"`
	Complete bool    `json:"complete"`
	Refused  *string `json:"refused"`
}

// missing is the first chunk that the server does not have (-1: none), and how many it has.
func (p progress) missing() (chunk, received int) {
	has := map[int]bool{}
	for _, number := range p.Received {
		has[number] = true
	}
	for chunk = 0; chunk < p.Chunks; chunk++ {
		if !has[chunk] {
			return chunk, len(has)
		}
	}
	return -1, len(has)
}

type chunkAnswer struct {
	status     int // 0: there is none
	retryAfter time.Duration
	progress   progress
}

// chunk puts one chunk or, with -1, asks what the server has.
func (s *sender) chunk(u upload, number int) (answer chunkAnswer) {
	address := s.url + "/api/sessions/" + url.PathEscape(s.header.Session) + "/attachments/" + url.PathEscape(u.id) + "/chunks"
	method, body := http.MethodGet, []byte(nil)
	if number >= 0 {
		method, address = http.MethodPut, address+"/"+strconv.Itoa(number)
		body = u.content[number*limits.ChunkBytes:]
		if len(body) > limits.ChunkBytes {
			body = body[:limits.ChunkBytes]
		}
	}
	request, err := http.NewRequestWithContext(s.ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return answer
	}
	if number >= 0 {
		request.Header.Set("Content-Type", "application/octet-stream")
	}
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, limits.MaxAnswerBytes))
	if err != nil {
		return answer
	}
	answer.status = response.StatusCode
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	answer.retryAfter = time.Duration(seconds) * time.Second
	if answer.status == http.StatusOK && json.Unmarshal(text, &answer.progress) != nil {
		answer.status = 0
	}
	return answer
}
