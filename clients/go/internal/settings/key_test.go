package settings

import "testing"

func TestTheKeyOfTheEnvironmentGoesToItsServerOnly(t *testing.T) {
	t.Setenv("DATACAT_KEY", "k")
	t.Setenv("DATACAT_URL", "")
	if key := KeyFor("https://far"); key != "k" { // the program names the only server
		t.Errorf("%q", key)
	}
	t.Setenv("DATACAT_URL", "https://mine/")
	for server, want := range map[string]string{
		"https://mine": "k", "https://Mine/api": "k",
		"https://far": "", "http://mine": "", "https://mine:8443": "", "https://mine.far": "", "://": "",
	} {
		if key := KeyFor(server); key != want {
			t.Errorf("%s: %q", server, key)
		}
	}
}
