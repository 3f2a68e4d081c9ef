/** The commit, the branch and the job that a session ran for. */
import type { CiState } from "../../core/ci/ci-state.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { Property } from "../ui/property.tsx";
import { Time } from "../ui/time.tsx";

const PROVIDERS: { [provider: string]: string } = {
  github: "GitHub Actions",
  gitlab: "GitLab CI",
  bitbucket: "Bitbucket Pipelines",
  jenkins: "Jenkins",
  buildkite: "Buildkite",
  circleci: "CircleCI",
  teamcity: "TeamCity",
  azure: "Azure Pipelines",
};

/** Characters of a commit that people compare. */
const COMMIT_LENGTH = 12;

export function CiProperties({ ci }: { ci: CiState }) {
  const { provider, commit, branch, tag, pullRequest, job, jobUrl, run, subject, repository } = ci;
  const jobName = nameLabel([job, run && `#${run}`].filter(Boolean).join(" "), "Job");
  const isJob = job !== "" || jobUrl !== "" || run !== "";
  return (
    <dl class="properties ci" aria-label="Commit and job">
      {commit === "" ? null : (
        <Property label="Commit">
          <code title={nameLabel(commit)}>{nameLabel(commit.slice(0, COMMIT_LENGTH))}</code>
          {ci.isDirty ? <span class="tag">with local changes</span> : null}
        </Property>
      )}
      {subject === "" ? null : <Property label="Subject">{nameLabel(subject)}</Property>}
      {branch === "" ? null : <Property label="Branch">{nameLabel(branch)}</Property>}
      {tag === "" ? null : <Property label="Git tag">{nameLabel(tag)}</Property>}
      {pullRequest === "" ? null : (
        <Property label="Pull request">{nameLabel(pullRequest)}</Property>
      )}
      {isJob ? (
        <Property label={PROVIDERS[provider] ?? "Job"}>
          {jobUrl === "" ? (
            jobName
          ) : (
            <a href={jobUrl} rel="noopener noreferrer nofollow">
              {jobName}
            </a>
          )}
        </Property>
      ) : null}
      {repository === "" ? null : <Property label="Repository">{nameLabel(repository)}</Property>}
      {ci.authorAt === null ? null : (
        <Property label="Written">
          <Time at={ci.authorAt} />
        </Property>
      )}
    </dl>
  );
}
