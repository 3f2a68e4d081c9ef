package main

import (
	"fmt"
	"os"
	"strings"

	datacat "github.com/datacat/datacat/clients/go/v2"
	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/settings"
)

// failed is a failed test in the job summary.
type failed struct{ test, pkg, line string }

// finish records go test's own counts, and prints the link to the session.
func (r *report) finish(exitCode int) {
	for _, p := range r.packages { // the run was ended before they were
		for _, e := range p.held {
			r.logEnd(p, e)
		}
		p.held = nil
	}
	if r.counts["packages_failed"] > 0 {
		r.print("FAIL\n")
	}
	r.session.UpdateState(datacat.Data{"tests": datacat.Data{"counts": datacat.Object{
		{Key: "passed", Value: r.counts["passed"]}, {Key: "failed", Value: r.counts["failed"]}, {Key: "errors", Value: r.counts["errors"]},
		{Key: "skipped", Value: r.counts["skipped"]},
	}}})
	if r.session.Stats().Records == 0 { // recording is disabled, or impossible
		return
	}
	url := settings.Dashboard(lane.Homes("")) + "/sessions/" + r.session.ID()
	if link := os.Getenv("DATACAT_LINK"); link != "never" && (link != "failure" || exitCode != 0) {
		fmt.Fprintln(os.Stderr, "datacat: "+url)
	}
	if path := os.Getenv("GITHUB_STEP_SUMMARY"); path != "" {
		if file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
			fmt.Fprint(file, r.summary(exitCode, url)) //nolint:errcheck // a full disk
			file.Close()                               //nolint:errcheck // as above
		}
	}
}

// summary is the run as Markdown, for GitHub's job summary.
func (r *report) summary(exitCode int, url string) string {
	mark := "✅"
	if exitCode != 0 {
		mark = "❌"
	}
	figures := []string{fmt.Sprintf("%d passed", r.counts["passed"])}
	for _, what := range []string{"failed", "errors", "skipped"} {
		if r.counts[what] > 0 {
			figures = append(figures, fmt.Sprintf("%d %s", r.counts[what], what))
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "### %s go test\n\n%s. [Open in Datacat](%s)\n\n", mark, strings.Join(figures, ", "), url)
	for i, each := range r.failures {
		if i == maxListed {
			fmt.Fprintf(&text, "- … and %d more\n", len(r.failures)-i)
			break
		}
		name := each.pkg
		if each.test != "" {
			name = each.test + " (" + each.pkg + ")"
		}
		text.WriteString("- " + code(name))
		if each.line != "" {
			text.WriteString(": " + code(each.line))
		}
		text.WriteString("\n")
	}
	return text.String() + "\n"
}

// code is a text in which Markdown and HTML have no meaning.
func code(text string) string { return "`" + strings.ReplaceAll(firstLine(text), "`", "'") + "`" }
