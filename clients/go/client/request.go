package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/settings"
)

// post sends a JSON body. action names the call in errors.
func (c *Client) post(action, path string, body map[string]interface{}, answer interface{}) error {
	text, err := json.Marshal(finite(body, 0))
	if err != nil {
		return fmt.Errorf("failed to %s: %w", action, err)
	}
	return c.request(action, http.MethodPost, path, text, answer)
}

func (c *Client) get(action, path string, answer interface{}) error {
	return c.request(action, http.MethodGet, path, nil, answer)
}

func (c *Client) request(action, method, path string, body []byte, answer interface{}) error {
	request, err := http.NewRequest(method, strings.TrimRight(c.BaseURL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("failed to %s: %w", action, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key := settings.KeyFor(c.BaseURL); key != "" && !c.UseDaemon {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := c.withinServer().Do(request)
	if err != nil {
		return fmt.Errorf("failed to %s: %w", action, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("failed to %s: %w", action, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s failed with status %d: %s", action, response.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("failed to %s: the answer is not from a Datacat server: %w", action, err)
	}
	return nil
}

// withinServer is the HTTP client that follows redirects within one server only. Go's would send the key also to a subdomain, and
// without encryption.
func (c *Client) withinServer() *http.Client {
	client := http.Client{}
	if c.HTTPClient != nil {
		client = *c.HTTPClient
	}
	check := client.CheckRedirect
	client.CheckRedirect = func(request *http.Request, via []*http.Request) error {
		if first := via[0].URL; request.URL.Scheme != first.Scheme || request.URL.Host != first.Host || len(via) >= maxRedirects {
			return http.ErrUseLastResponse
		}
		if check != nil {
			return check(request, via)
		}
		return nil
	}
	return &client
}

// finite replaces NaN and infinities, which JSON cannot represent, by strings. 1.x failed for these. The value of a metric
// still fails, because there is no number to record.
func finite(v interface{}, depth int) interface{} {
	if depth > maxDepth {
		return v // json.Marshal returns the error
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
