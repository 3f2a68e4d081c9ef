// Package settings reads settings of the environment that several packages need.
package settings

import (
	"net/url"
	"os"
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
