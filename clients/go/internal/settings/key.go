// Package settings reads settings of the environment that several packages need.
package settings

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// KeyFor is the API key of the environment for a server, or "". DATACAT_KEY belongs to DATACAT_URL, or to the program's server
// if that is not set.
func KeyFor(server string) string {
	if own := os.Getenv("DATACAT_URL"); own != "" && origin(own) != origin(server) {
		return ""
	}
	return os.Getenv("DATACAT_KEY")
}

func origin(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(parsed.Scheme + "://" + parsed.Host)
}

// defaultServer is where `npm start` serves.
const defaultServer = "http://localhost:8080"

// maxConfig is the largest config.json that is read: the daemon's is small.
const maxConfig = 1 << 20

// Dashboard is the address of the server: the program's, else the one that `datacat login` gave the daemon of the first of
// these homes that has one.
func Dashboard(homes []string) string {
	if own := os.Getenv("DATACAT_URL"); own != "" {
		return strings.TrimRight(own, "/")
	}
	for _, home := range homes {
		path := filepath.Join(home, "config.json")
		if info, err := os.Stat(path); err != nil || info.Size() > maxConfig {
			continue
		}
		var config struct{ Server string }
		if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &config) == nil && config.Server != "" {
			return strings.TrimRight(config.Server, "/")
		}
	}
	return defaultServer
}
