package client

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestARedirectToAnotherServerIsNotFollowed(t *testing.T) {
	t.Setenv("DATACAT_KEY", "k")
	t.Setenv("DATACAT_URL", "")
	var stolen []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/here":
			http.Redirect(w, r, "/there", http.StatusFound)
		default:
			w.Write([]byte(`{"key":"` + r.Header.Get("Authorization") + `"}`)) //nolint:errcheck // the test fails without it
		}
	}))
	defer server.Close()
	c := NewClient(server.URL)
	if err := c.get("get", "/away", nil); err == nil || len(stolen) > 0 {
		t.Error(err, stolen)
	}
	var answer map[string]string
	if err := c.get("get", "/here", &answer); err != nil || answer["key"] != "Bearer k" {
		t.Error(err, answer)
	}
}
