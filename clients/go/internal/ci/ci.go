// Package ci describes what a run of a program belongs to (commit, branch, job), which is recorded as the state "ci": from the
// environment that a CI service sets, the event file of GitHub, and two texts of git, all of it untrusted. It is
// src/core/ci/ci.ts in Go; test/fixtures/ci.json holds both.
package ci

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
)

// Context is what is known; empty fields are not. The keys of its Object are those of the state "ci".
type Context struct {
	Provider, Commit, Branch, Tag                   string
	PullRequest, Job, JobURL, RunNumber, RunAttempt string
	Subject, Repository                             string
	AuthorTime                                      *int64 // epoch milliseconds
	Dirty                                           *bool  // whether files under version control differ from the commit
}

// Git is what git reports of a folder.
type Git struct {
	commit, branch, tag, subject string
	authorTime                   *int64
	dirty                        *bool
}

const (
	maxText = 500  // characters of a name or of the subject of a commit
	maxURL  = 2000 // characters of a link
	// shortCommit is how many digits identify a commit.
	shortCommit = 12
)

// Short is the first digits of the commit.
func (c *Context) Short() string {
	if len(c.Commit) > shortCommit {
		return c.Commit[:shortCommit]
	}
	return c.Commit
}

// Version is the version of a session whose program names none, or "".
func (c *Context) Version() string {
	if c == nil || c.Commit == "" {
		return ""
	}
	if c.Dirty != nil && *c.Dirty {
		return c.Short() + "-dirty"
	}
	return c.Short()
}

// Object is the context as the state "ci" holds it.
func (c *Context) Object() encode.Object {
	object := encode.Object{{Key: "provider", Value: c.Provider}}
	add := func(key string, value any) { object = append(object, encode.Field{Key: key, Value: value}) }
	text := func(key, value string) {
		if value != "" {
			add(key, value)
		}
	}
	numeric := func(key, value string) {
		if number, err := strconv.ParseInt(value, 10, 64); err == nil && isNumber.MatchString(value) {
			add(key, number)
			return
		}
		text(key, value)
	}
	text("commit", c.Commit)
	text("commit_short", c.Short())
	text("branch", c.Branch)
	text("tag", c.Tag)
	numeric("pull_request", c.PullRequest)
	text("job", c.Job)
	text("job_url", c.JobURL)
	numeric("run_number", c.RunNumber)
	numeric("run_attempt", c.RunAttempt)
	if c.AuthorTime != nil {
		add("author_time", *c.AuthorTime)
	}
	if c.Dirty != nil {
		add("dirty", *c.Dirty)
	}
	text("subject", c.Subject)
	text("repository", c.Repository)
	return object
}

// ParseGit reads what `git log` and `git status` printed (git.go); nil if they failed or took too long.
func ParseGit(log, status *string) Git {
	var found Git
	if log != nil {
		parts := append(strings.Split(*log, "\x00"), "", "", "", "")
		found.commit = commitOf(parts[0])
		for _, ref := range strings.Split(parts[2], ", ") {
			if name := after(ref, "HEAD -> refs/heads/"); name != "" && found.branch == "" {
				found.branch = textOf(name)
			}
			if name := after(ref, "tag: refs/tags/"); name != "" && found.tag == "" {
				found.tag = textOf(name)
			}
		}
		if isTime.MatchString(parts[1]) {
			seconds, _ := strconv.ParseInt(parts[1], 10, 64)
			ms := seconds * 1000
			found.authorTime = &ms
		}
		found.subject = textOf(parts[3])
	}
	if status != nil {
		isDirty := strings.TrimSpace(*status) != ""
		found.dirty = &isDirty
	}
	return found
}

// Find is the context of a run, or nil if neither a CI service nor a commit is known. event is the content of GitHub's
// GITHUB_EVENT_PATH, decoded, or nil.
func Find(env func(string) string, git Git, event any) *Context {
	provider, f := "git", found{}
	for _, each := range services {
		if each.is(env) {
			provider, f = each.provider, each.read(env, event)
			break
		}
	}
	commit := commitOf(f.commit)
	if commit == "" {
		commit = git.commit
	}
	if provider == "git" && commit == "" {
		return nil
	}
	own := Git{}
	if commit == git.commit {
		own = git
	}
	c := &Context{
		Provider: provider, Commit: commit, Branch: textOf(f.branch), Tag: textOf(f.tag), PullRequest: numberOf(f.pullRequest), Job: textOf(f.job),
		JobURL: urlOf(f.jobURL), RunNumber: numberOf(f.runNumber), RunAttempt: numberOf(f.runAttempt), AuthorTime: own.authorTime, Dirty: git.dirty,
		Subject: own.subject, Repository: textOf(f.repository),
	}
	if c.Branch == "" && f.tag == "" {
		c.Branch = own.branch
	}
	if c.Tag == "" && f.branch == "" {
		c.Tag = own.tag
	}
	if c.Subject == "" {
		c.Subject = textOf(strings.SplitN(f.subject, "\n", 2)[0])
	}
	if c.Repository == "" {
		c.Repository = repositoryOf(f.repositoryURL)
	}
	return c
}

var (
	isCommit = regexp.MustCompile(`^[0-9a-fA-F]{7,64}$`)
	isTime   = regexp.MustCompile(`^[0-9]{1,12}$`)
	isNumber = regexp.MustCompile(`^[0-9]{1,15}$`)
	link     = regexp.MustCompile(`(?i)^(https?://)([!-~]+)$`)
	lastPart = regexp.MustCompile(`/([0-9]+)$`)
	pullRef  = regexp.MustCompile(`^refs/pull/([0-9]+)/`)
	retries  = regexp.MustCompile(`^[0-9]{1,6}$`)
)

// joined is both texts with between, or "" if one is missing.
func joined(first, between, second string) string {
	if first == "" || second == "" {
		return ""
	}
	return first + between + second
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

func after(value, prefix string) string {
	if strings.HasPrefix(value, prefix) {
		return value[len(prefix):]
	}
	return ""
}

func group(pattern *regexp.Regexp, value string) string {
	if found := pattern.FindStringSubmatch(value); found != nil {
		return found[1]
	}
	return ""
}

func commitOf(value string) string {
	if !isCommit.MatchString(value) {
		return ""
	}
	return strings.ToLower(value)
}

// textOf is one line of at most maxText characters.
func textOf(value string) string {
	kept, _ := encode.CutText(value, maxText)
	line := strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r <= 0x9f {
			return ' '
		}
		return r
	}, kept)
	return strings.TrimSpace(line)
}

func numberOf(value string) string {
	if isNumber.MatchString(value) {
		return value
	}
	return textOf(value)
}

// urlOf is a link without its user name and password, only of http and https.
func urlOf(value string) string {
	if len(value) > maxURL {
		return ""
	}
	found := link.FindStringSubmatch(value)
	if found == nil {
		return ""
	}
	rest := found[2]
	end := strings.IndexAny(rest, `/?#\`)
	if end < 0 {
		end = len(rest)
	}
	host := rest[:end]
	return strings.ToLower(found[1]) + host[strings.LastIndex(host, "@")+1:] + rest[end:]
}

// repositoryOf is `acme/app` of `https://user:password@example.com/acme/app.git` and of `git@example.com:acme/app.git`.
func repositoryOf(value string) string {
	if len(value) > maxURL {
		return ""
	}
	separator := ":"
	if at := strings.Index(value, "://"); at >= 0 {
		value, separator = value[at+3:], "/"
	}
	start := strings.Index(value, separator)
	if start < 0 {
		return ""
	}
	return textOf(strings.TrimSuffix(value[start+1:], ".git"))
}
