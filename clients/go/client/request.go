package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	requestTimeout = 30 * time.Second
	// maxBytes: a session of a million points in 1.x's form is some hundred megabytes; more than that is no answer.
	maxBytes = 1 << 30
	// maxDepth: deeper than this is a cycle.
	maxDepth = 1000
)

func (c *Client) post(verb, path string, body map[string]interface{}, answer interface{}) error {
	text, err := json.Marshal(finite(body, 0))
	if err != nil {
		return fmt.Errorf("failed to %s: %w", verb, err)
	}
	return c.request(verb, http.MethodPost, path, text, answer)
}

func (c *Client) get(verb, path string, answer interface{}) error {
	return c.request(verb, http.MethodGet, path, nil, answer)
}

func (c *Client) request(verb, method, path string, body []byte, answer interface{}) error {
	request, err := http.NewRequest(method, strings.TrimRight(c.BaseURL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("failed to %s: %w", verb, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key := os.Getenv("DATACAT_KEY"); key != "" && !c.UseDaemon {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	client := c.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("failed to %s: %w", verb, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBytes))
	if err != nil {
		return fmt.Errorf("failed to %s: %w", verb, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s failed with status %d: %s", verb, response.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("failed to %s: the answer is not what a Datacat server says: %w", verb, err)
	}
	return nil
}

// finite writes numbers that JSON has no word for as their names, where 1.x failed. A metric's own value keeps failing:
// there is no number to record.
func finite(v interface{}, depth int) interface{} {
	if depth > maxDepth {
		return v // json.Marshal says what is wrong with it
	}
	switch v := v.(type) {
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "Infinity"
		case math.IsInf(v, -1):
			return "-Infinity"
		}
	case map[string]interface{}:
		if v == nil {
			return nil
		}
		clean := make(map[string]interface{}, len(v))
		for key, item := range v {
			clean[key] = finite(item, depth+1)
		}
		return clean
	case []interface{}:
		clean := make([]interface{}, len(v))
		for i, item := range v {
			clean[i] = finite(item, depth+1)
		}
		return clean
	}
	return v
}
