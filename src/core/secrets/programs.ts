/** Commands whose short options are passwords: `-p` is a port, a path or a parent for most others. */

type Program = { names: RegExp; option: string; isAttached: boolean; isSeparate: boolean };

const PROGRAMS: Program[] = [
  { names: /\bsshpass[ \t]+$/, option: "-p", isAttached: true, isSeparate: true },
  {
    names: /\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b/,
    option: "-p",
    isAttached: true,
    isSeparate: false,
  },
  { names: /\b7z[ar]?\b/, option: "-p", isAttached: true, isSeparate: false },
  { names: /\blogin\b/, option: "-p", isAttached: false, isSeparate: true },
  {
    names: /\bmongo(?:sh|dump|restore|export|import)?\b/,
    option: "-p",
    isAttached: false,
    isSeparate: true,
  },
  { names: /\bcurl\b/, option: "-b", isAttached: false, isSeparate: true },
  { names: /\bredis-cli\b/, option: "-a", isAttached: false, isSeparate: true },
  { names: /\b(?:zip|unzip|sqlcmd|bcp)\b/, option: "-P", isAttached: false, isSeparate: true },
  {
    names: /\bldap(?:search|add|modify|delete|whoami|passwd)\b/,
    option: "-w",
    isAttached: true,
    isSeparate: true,
  },
];

/** Whether the option is a password's in the command that `before` ends with. `login` is that of docker, podman, helm and others. */
export function isPasswordOption(before: string, option: string, isAttached: boolean): boolean {
  return PROGRAMS.some(
    (program) =>
      program.option === option &&
      (isAttached ? program.isAttached : program.isSeparate) &&
      program.names.test(before),
  );
}
