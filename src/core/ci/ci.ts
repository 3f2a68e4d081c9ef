/**
 * CI context: what a run of a program belongs to (commit, branch, job), recorded as the state `ci`. From the environment that a CI service
 * sets, the event file of GitHub, and two texts of git; all of it untrusted. test/fixtures/ci.json holds this for every language.
 */
import { MAX_CI_TEXT, MAX_CI_URL } from "../limits.ts";

export type CiContext = {
  provider: string;
  /**
   * 40 or 64 hex digits, as the service gives it. Of a pull request it is the last commit of its branch, not the merge that the
   * service made for the run.
   */
  commit?: string;
  /** The first 12 hex digits. */
  commit_short?: string;
  branch?: string;
  tag?: string;
  pull_request?: number | string;
  job?: string;
  job_url?: string;
  run_number?: number | string;
  run_attempt?: number | string;
  /** Epoch milliseconds. */
  author_time?: number;
  /** Whether files under version control differ from the commit that is checked out. */
  dirty?: boolean;
  /** The first line of the commit's message. */
  subject?: string;
  repository?: string;
};

type GitContext = Pick<
  CiContext,
  "commit" | "branch" | "tag" | "author_time" | "dirty" | "subject"
>;

type Variables = { [name: string]: string | undefined };

/** Arguments of the git commands whose output `gitContext` reads: neither runs a program that a repository's configuration names. */
export const GIT_LOG = [
  "-c",
  "log.showSignature=false",
  "log",
  "-1",
  "--decorate=full",
  "--format=%H%x00%at%x00%D%x00%s",
];
export const GIT_STATUS = [
  "-c",
  "core.fsmonitor=false",
  "status",
  "--porcelain",
  "--untracked-files=no",
  "--ignore-submodules=all",
];

/** What `git log` and `git status` printed, undefined if they failed or took too long. */
export function gitContext(log: string | undefined, status: string | undefined): GitContext {
  const [commit, time, names = "", subject] = log?.split("\0") ?? [];
  const refs = names.split(", ");
  return defined({
    commit: commitOf(commit),
    branch: text(refs.map((ref) => after(ref, "HEAD -> refs/heads/")).find(Boolean)),
    tag: text(refs.map((ref) => after(ref, "tag: refs/tags/")).find(Boolean)),
    author_time: time && /^\d{1,12}$/.test(time) ? Number(time) * 1000 : undefined,
    dirty: status === undefined ? undefined : status.trim() !== "",
    subject: text(subject),
  });
}

/** The context of a run, or undefined if neither a CI service nor a commit is known. `event` is the content of GitHub's GITHUB_EVENT_PATH. */
export function ciContext(env: Variables, git: GitContext, event?: unknown): CiContext | undefined {
  const service = SERVICES.find((one) => one.is(env));
  const found = service?.read(env, event) ?? {};
  const commit = commitOf(found.commit) ?? git.commit;
  if (service === undefined && commit === undefined) return undefined;
  const isCheckedOut = commit === git.commit;
  const own = isCheckedOut ? git : {};
  const tag = text(found.tag) ?? (found.branch ? undefined : own.tag);
  return defined({
    provider: service?.provider ?? "git",
    commit,
    commit_short: commit?.slice(0, 12),
    branch: text(found.branch) ?? (found.tag ? undefined : own.branch),
    tag,
    pull_request: number(found.pull_request),
    job: text(found.job),
    job_url: url(found.job_url),
    run_number: number(found.run_number),
    run_attempt: number(found.run_attempt),
    author_time: own.author_time,
    dirty: git.dirty,
    subject: own.subject ?? text(found.subject?.split("\n", 1)[0]),
    repository: text(found.repository) ?? repositoryOf(found.repository_url),
  });
}

/** The version of a session whose program names none. */
export function versionOf({ commit_short: commit, dirty }: CiContext): string | undefined {
  return commit && (dirty ? `${commit}-dirty` : commit);
}

type Found = {
  [Key in Exclude<keyof CiContext, "provider" | "commit_short" | "author_time" | "dirty">]?:
    | string
    | undefined;
} & { repository_url?: string | undefined };

type Service = {
  provider: string;
  is(env: Variables): boolean;
  read(env: Variables, event: unknown): Found;
};

const SERVICES: Service[] = [
  {
    provider: "github",
    is: (env) => env["GITHUB_ACTIONS"] === "true",
    read: (env, event) => {
      const pull = member(event, "pull_request");
      const run = joined(env["GITHUB_SERVER_URL"], "/", env["GITHUB_REPOSITORY"]);
      const name = env["GITHUB_REF_NAME"];
      const last = member(member(pull, "head"), "sha");
      return {
        commit: typeof last === "string" ? last : env["GITHUB_SHA"],
        branch: env["GITHUB_HEAD_REF"] || (env["GITHUB_REF_TYPE"] === "branch" ? name : undefined),
        tag: env["GITHUB_REF_TYPE"] === "tag" ? name : undefined,
        pull_request:
          plain(member(pull, "number")) ??
          /^refs\/pull\/(\d+)\//.exec(env["GITHUB_REF"] ?? "")?.[1],
        job: joined(env["GITHUB_WORKFLOW"], " / ", env["GITHUB_JOB"]) ?? env["GITHUB_JOB"],
        job_url:
          joined(
            joined(run, "/actions/runs/", env["GITHUB_RUN_ID"]),
            "/attempts/",
            env["GITHUB_RUN_ATTEMPT"],
          ) ?? joined(run, "/actions/runs/", env["GITHUB_RUN_ID"]),
        run_number: env["GITHUB_RUN_NUMBER"],
        run_attempt: env["GITHUB_RUN_ATTEMPT"],
        repository: env["GITHUB_REPOSITORY"],
      };
    },
  },
  {
    provider: "gitlab",
    is: (env) => env["GITLAB_CI"] === "true",
    read: (env) => {
      const source = env["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"]; // of a pipeline for the merged result
      return {
        commit: source || env["CI_COMMIT_SHA"],
        branch: env["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] || env["CI_COMMIT_BRANCH"],
        tag: env["CI_COMMIT_TAG"],
        pull_request: env["CI_MERGE_REQUEST_IID"],
        job: env["CI_JOB_NAME"],
        job_url: env["CI_JOB_URL"],
        run_number: env["CI_PIPELINE_IID"],
        subject: source ? undefined : env["CI_COMMIT_TITLE"],
        repository: env["CI_PROJECT_PATH"],
      };
    },
  },
  {
    provider: "bitbucket",
    is: (env) => Boolean(env["BITBUCKET_BUILD_NUMBER"]),
    read: (env) => ({
      commit: env["BITBUCKET_COMMIT"],
      branch: env["BITBUCKET_BRANCH"],
      tag: env["BITBUCKET_TAG"],
      pull_request: env["BITBUCKET_PR_ID"],
      job_url: joined(
        joined("https://bitbucket.org/", "", env["BITBUCKET_REPO_FULL_NAME"]),
        "/pipelines/results/",
        env["BITBUCKET_BUILD_NUMBER"],
      ),
      run_number: env["BITBUCKET_BUILD_NUMBER"],
      repository: env["BITBUCKET_REPO_FULL_NAME"],
    }),
  },
  {
    provider: "buildkite",
    is: (env) => env["BUILDKITE"] === "true",
    read: (env) => ({
      commit: env["BUILDKITE_COMMIT"],
      branch: env["BUILDKITE_BRANCH"],
      tag: env["BUILDKITE_TAG"],
      pull_request:
        env["BUILDKITE_PULL_REQUEST"] === "false" ? undefined : env["BUILDKITE_PULL_REQUEST"],
      job: env["BUILDKITE_LABEL"],
      job_url:
        joined(env["BUILDKITE_BUILD_URL"], "#", env["BUILDKITE_JOB_ID"]) ??
        env["BUILDKITE_BUILD_URL"],
      run_number: env["BUILDKITE_BUILD_NUMBER"],
      run_attempt: /^\d{1,6}$/.test(env["BUILDKITE_RETRY_COUNT"] ?? "")
        ? String(Number(env["BUILDKITE_RETRY_COUNT"]) + 1)
        : undefined,
      subject: env["BUILDKITE_MESSAGE"],
      repository_url: env["BUILDKITE_REPO"],
    }),
  },
  {
    provider: "circleci",
    is: (env) => env["CIRCLECI"] === "true",
    read: (env) => ({
      commit: env["CIRCLE_SHA1"],
      branch: env["CIRCLE_BRANCH"],
      tag: env["CIRCLE_TAG"],
      pull_request:
        env["CIRCLE_PR_NUMBER"] || /\/(\d+)$/.exec(env["CIRCLE_PULL_REQUEST"] ?? "")?.[1],
      job: env["CIRCLE_JOB"],
      job_url: env["CIRCLE_BUILD_URL"],
      run_number: env["CIRCLE_BUILD_NUM"],
      repository: joined(env["CIRCLE_PROJECT_USERNAME"], "/", env["CIRCLE_PROJECT_REPONAME"]),
    }),
  },
  {
    provider: "azure",
    is: (env) => env["TF_BUILD"]?.toLowerCase() === "true",
    read: (env) => {
      const source = env["SYSTEM_PULLREQUEST_SOURCECOMMITID"];
      const ref = env["SYSTEM_PULLREQUEST_SOURCEBRANCH"] || env["BUILD_SOURCEBRANCH"] || "";
      return {
        commit: source || env["BUILD_SOURCEVERSION"],
        branch: after(ref, "refs/heads/"),
        tag: after(ref, "refs/tags/"),
        pull_request:
          env["SYSTEM_PULLREQUEST_PULLREQUESTNUMBER"] || env["SYSTEM_PULLREQUEST_PULLREQUESTID"],
        job: env["SYSTEM_JOBDISPLAYNAME"] || env["AGENT_JOBNAME"],
        job_url: joined(
          joined(
            env["SYSTEM_COLLECTIONURI"],
            "",
            env["SYSTEM_TEAMPROJECT"]?.replaceAll(" ", "%20"),
          ),
          "/_build/results?buildId=",
          env["BUILD_BUILDID"],
        ),
        run_number: env["BUILD_BUILDNUMBER"],
        run_attempt: env["SYSTEM_JOBATTEMPT"],
        subject: source ? undefined : env["BUILD_SOURCEVERSIONMESSAGE"],
        repository: env["BUILD_REPOSITORY_NAME"],
      };
    },
  },
  {
    provider: "teamcity",
    is: (env) => Boolean(env["TEAMCITY_VERSION"]),
    read: (env) => ({
      commit: env["BUILD_VCS_NUMBER"],
      job:
        joined(env["TEAMCITY_PROJECT_NAME"], " / ", env["TEAMCITY_BUILDCONF_NAME"]) ??
        env["TEAMCITY_BUILDCONF_NAME"],
      job_url: env["BUILD_URL"],
      run_number: env["BUILD_NUMBER"],
    }),
  },
  {
    provider: "jenkins", // after the others: a machine of theirs may have its variables too
    is: (env) => Boolean(env["JENKINS_URL"] && env["BUILD_NUMBER"]),
    read: (env) => {
      const branch = env["BRANCH_NAME"] || env["GIT_BRANCH"]?.replace(/^origin\//, "");
      const isPull = Boolean(env["CHANGE_ID"]);
      return {
        // The merge that Jenkins makes of a pull request has no name of its last commit; the merge is then what ran.
        commit: env["GIT_COMMIT"],
        branch: isPull ? env["CHANGE_BRANCH"] : env["TAG_NAME"] ? undefined : branch,
        tag: env["TAG_NAME"],
        pull_request: env["CHANGE_ID"],
        job: env["JOB_NAME"],
        job_url: env["BUILD_URL"],
        run_number: env["BUILD_NUMBER"],
        repository_url: env["GIT_URL"],
      };
    },
  },
];

/** Both texts with `between`, or undefined if one is missing. */
function joined(first: string | undefined, between: string, second: string | undefined) {
  return first && second ? first + between + second : undefined;
}

function after(value: string, prefix: string): string | undefined {
  return value.startsWith(prefix) ? value.slice(prefix.length) : undefined;
}

function commitOf(value: string | undefined): string | undefined {
  return value && /^[0-9a-fA-F]{7,64}$/.test(value) ? value.toLowerCase() : undefined;
}

/** One line of at most MAX_CI_TEXT characters. */
function text(value: string | undefined): string | undefined {
  const line = value
    ?.slice(0, MAX_CI_TEXT)
    .replace(/\p{Cc}/gu, " ")
    .trim();
  return line || undefined;
}

function number(value: string | undefined): number | string | undefined {
  return value && /^\d{1,15}$/.test(value) ? Number(value) : text(value);
}

/** A link without its user name and password; only of http and https. */
function url(value: string | undefined): string | undefined {
  if (!value || value.length > MAX_CI_URL) return undefined;
  const [, scheme, rest = ""] = /^(https?:\/\/)([!-~]+)$/i.exec(value) ?? [];
  if (scheme === undefined) return undefined;
  const end = rest.search(/[/?#\\]|$/);
  const host = rest.slice(0, end);
  return scheme.toLowerCase() + host.slice(host.lastIndexOf("@") + 1) + rest.slice(end);
}

/** `acme/app` of `https://user:password@example.com/acme/app.git` and of `git@example.com:acme/app.git`. */
function repositoryOf(value: string | undefined): string | undefined {
  if (!value || value.length > MAX_CI_URL) return undefined;
  const hasScheme = value.includes("://");
  const rest = hasScheme ? value.slice(value.indexOf("://") + 3) : value;
  const start = rest.indexOf(hasScheme ? "/" : ":");
  return start < 0 ? undefined : text(rest.slice(start + 1).replace(/\.git$/, ""));
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as { [key: string]: unknown })[key]
    : undefined;
}

function plain(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T; // without keys that have no value
}
