package ci

import (
	"encoding/json"
	"strconv"
	"strings"
)

// found is what a service's variables contain, unchecked.
type found struct {
	commit, branch, tag, pullRequest, job, jobURL, runNumber, runAttempt, subject, repository, repositoryURL string
}

type service struct {
	provider string
	is       func(env func(string) string) bool
	read     func(env func(string) string, event any) found
}

func isSet(name, value string) func(func(string) string) bool {
	return func(env func(string) string) bool { return env(name) == value }
}

func hasAny(name string) func(func(string) string) bool {
	return func(env func(string) string) bool { return env(name) != "" }
}

var services = []service{
	{"github", isSet("GITHUB_ACTIONS", "true"), github},
	{"gitlab", isSet("GITLAB_CI", "true"), gitlab},
	{"bitbucket", hasAny("BITBUCKET_BUILD_NUMBER"), bitbucket},
	{"buildkite", isSet("BUILDKITE", "true"), buildkite},
	{"circleci", isSet("CIRCLECI", "true"), circleci},
	{"azure", func(env func(string) string) bool { return strings.EqualFold(env("TF_BUILD"), "true") }, azure},
	{"teamcity", hasAny("TEAMCITY_VERSION"), teamcity},
	// After the others: a machine of theirs may have its variables too.
	{"jenkins", func(env func(string) string) bool { return env("JENKINS_URL") != "" && env("BUILD_NUMBER") != "" }, jenkins},
}

func github(env func(string) string, event any) found {
	pull := member(event, "pull_request")
	run := joined(env("GITHUB_SERVER_URL"), "/", env("GITHUB_REPOSITORY"))
	page := joined(run, "/actions/runs/", env("GITHUB_RUN_ID"))
	f := found{
		commit: env("GITHUB_SHA"), branch: env("GITHUB_HEAD_REF"),
		pullRequest: firstOf(plain(member(pull, "number")), group(pullRef, env("GITHUB_REF"))),
		job:         firstOf(joined(env("GITHUB_WORKFLOW"), " / ", env("GITHUB_JOB")), env("GITHUB_JOB")),
		jobURL:      firstOf(joined(page, "/attempts/", env("GITHUB_RUN_ATTEMPT")), page),
		runNumber:   env("GITHUB_RUN_NUMBER"), runAttempt: env("GITHUB_RUN_ATTEMPT"), repository: env("GITHUB_REPOSITORY"),
	}
	if last, ok := member(member(pull, "head"), "sha").(string); ok {
		f.commit = last
	}
	switch env("GITHUB_REF_TYPE") {
	case "branch":
		f.branch = firstOf(f.branch, env("GITHUB_REF_NAME"))
	case "tag":
		f.tag = env("GITHUB_REF_NAME")
	}
	return f
}

func gitlab(env func(string) string, _ any) found {
	source := env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") // of a pipeline for the merged result
	f := found{
		commit: firstOf(source, env("CI_COMMIT_SHA")), branch: firstOf(env("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"), env("CI_COMMIT_BRANCH")),
		tag: env("CI_COMMIT_TAG"), pullRequest: env("CI_MERGE_REQUEST_IID"), job: env("CI_JOB_NAME"), jobURL: env("CI_JOB_URL"),
		runNumber: env("CI_PIPELINE_IID"), repository: env("CI_PROJECT_PATH"),
	}
	if source == "" {
		f.subject = env("CI_COMMIT_TITLE")
	}
	return f
}

func bitbucket(env func(string) string, _ any) found {
	page := joined("https://bitbucket.org/", "", env("BITBUCKET_REPO_FULL_NAME"))
	return found{
		commit: env("BITBUCKET_COMMIT"), branch: env("BITBUCKET_BRANCH"), tag: env("BITBUCKET_TAG"), pullRequest: env("BITBUCKET_PR_ID"),
		jobURL:    joined(page, "/pipelines/results/", env("BITBUCKET_BUILD_NUMBER")),
		runNumber: env("BITBUCKET_BUILD_NUMBER"), repository: env("BITBUCKET_REPO_FULL_NAME"),
	}
}

func buildkite(env func(string) string, _ any) found {
	f := found{
		commit: env("BUILDKITE_COMMIT"), branch: env("BUILDKITE_BRANCH"), tag: env("BUILDKITE_TAG"), job: env("BUILDKITE_LABEL"),
		jobURL:    firstOf(joined(env("BUILDKITE_BUILD_URL"), "#", env("BUILDKITE_JOB_ID")), env("BUILDKITE_BUILD_URL")),
		runNumber: env("BUILDKITE_BUILD_NUMBER"), subject: env("BUILDKITE_MESSAGE"), repositoryURL: env("BUILDKITE_REPO"),
	}
	if pull := env("BUILDKITE_PULL_REQUEST"); pull != "false" {
		f.pullRequest = pull
	}
	if count := env("BUILDKITE_RETRY_COUNT"); retries.MatchString(count) {
		number, _ := strconv.Atoi(count)
		f.runAttempt = strconv.Itoa(number + 1)
	}
	return f
}

func circleci(env func(string) string, _ any) found {
	return found{
		commit: env("CIRCLE_SHA1"), branch: env("CIRCLE_BRANCH"), tag: env("CIRCLE_TAG"),
		pullRequest: firstOf(env("CIRCLE_PR_NUMBER"), group(lastPart, env("CIRCLE_PULL_REQUEST"))),
		job:         env("CIRCLE_JOB"), jobURL: env("CIRCLE_BUILD_URL"), runNumber: env("CIRCLE_BUILD_NUM"),
		repository: joined(env("CIRCLE_PROJECT_USERNAME"), "/", env("CIRCLE_PROJECT_REPONAME")),
	}
}

func azure(env func(string) string, _ any) found {
	source := env("SYSTEM_PULLREQUEST_SOURCECOMMITID")
	ref := firstOf(env("SYSTEM_PULLREQUEST_SOURCEBRANCH"), env("BUILD_SOURCEBRANCH"))
	page := joined(env("SYSTEM_COLLECTIONURI"), "", strings.ReplaceAll(env("SYSTEM_TEAMPROJECT"), " ", "%20"))
	f := found{
		commit: firstOf(source, env("BUILD_SOURCEVERSION")), branch: after(ref, "refs/heads/"), tag: after(ref, "refs/tags/"),
		pullRequest: firstOf(env("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER"), env("SYSTEM_PULLREQUEST_PULLREQUESTID")),
		job:         firstOf(env("SYSTEM_JOBDISPLAYNAME"), env("AGENT_JOBNAME")),
		jobURL:      joined(page, "/_build/results?buildId=", env("BUILD_BUILDID")),
		runNumber:   env("BUILD_BUILDNUMBER"), runAttempt: env("SYSTEM_JOBATTEMPT"), repository: env("BUILD_REPOSITORY_NAME"),
	}
	if source == "" {
		f.subject = env("BUILD_SOURCEVERSIONMESSAGE")
	}
	return f
}

func teamcity(env func(string) string, _ any) found {
	return found{
		commit:    env("BUILD_VCS_NUMBER"),
		job:       firstOf(joined(env("TEAMCITY_PROJECT_NAME"), " / ", env("TEAMCITY_BUILDCONF_NAME")), env("TEAMCITY_BUILDCONF_NAME")),
		jobURL:    env("BUILD_URL"),
		runNumber: env("BUILD_NUMBER"),
	}
}

func jenkins(env func(string) string, _ any) found {
	f := found{
		// The merge that Jenkins makes of a pull request has no name of its last commit; the merge is then what ran.
		commit: env("GIT_COMMIT"), tag: env("TAG_NAME"), pullRequest: env("CHANGE_ID"), job: env("JOB_NAME"), jobURL: env("BUILD_URL"),
		runNumber: env("BUILD_NUMBER"), repositoryURL: env("GIT_URL"),
	}
	switch {
	case f.pullRequest != "":
		f.branch = env("CHANGE_BRANCH")
	case f.tag == "":
		f.branch = firstOf(env("BRANCH_NAME"), strings.TrimPrefix(env("GIT_BRANCH"), "origin/"))
	}
	return f
}

func member(value any, key string) any {
	object, _ := value.(map[string]any)
	return object[key]
}

func plain(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return ""
}
