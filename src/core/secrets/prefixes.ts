/** Keys and tokens that their issuer gives a prefix. Each rule is a prefix and a run of characters: no pattern that could backtrack. */

export type PrefixRule = {
  prefix: string;
  /** What is written in the mark: `[redacted:github]`. */
  kind: string;
  /** The characters that may follow, as in a regular expression's class. */
  characters: string;
  /** How many of these follow at least. */
  least: number;
  /** How many follow at most; more are another thing. */
  most?: number;
};

const IDENTIFIER = "A-Za-z0-9_-";
const ALPHANUMERIC = "A-Za-z0-9";

export const PREFIX_RULES: PrefixRule[] = [
  { prefix: "AKIA", kind: "aws", characters: "A-Z0-9", least: 16, most: 16 },
  { prefix: "ASIA", kind: "aws", characters: "A-Z0-9", least: 16, most: 16 },
  ...tokens("github", ALPHANUMERIC, 20, "ghp_ gho_ ghu_ ghs_ ghr_"),
  ...tokens("github", "A-Za-z0-9_", 20, "github_pat_"),
  ...tokens("gitlab", IDENTIFIER, 16, "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- gloas-"),
  ...tokens("slack", IDENTIFIER, 8, "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-"),
  ...tokens(
    "slack",
    `/${IDENTIFIER}`,
    20,
    "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/",
  ),
  ...tokens(
    "discord",
    `/${IDENTIFIER}`,
    20,
    "discord.com/api/webhooks/ discordapp.com/api/webhooks/",
  ),
  ...tokens("stripe", ALPHANUMERIC, 10, "sk_live_ sk_test_ rk_live_ rk_test_ whsec_"),
  { prefix: "AIza", kind: "google", characters: IDENTIFIER, least: 35, most: 35 },
  ...tokens("google", `.${IDENTIFIER}`, 20, "ya29."),
  ...tokens("google", IDENTIFIER, 20, "GOCSPX-"),
  ...tokens("npm", ALPHANUMERIC, 30, "npm_"),
  ...tokens("pypi", IDENTIFIER, 32, "pypi-"),
  ...tokens("openai", IDENTIFIER, 20, "sk-proj- sk-svcacct- sk-admin-"),
  ...tokens("anthropic", IDENTIFIER, 20, "sk-ant-"),
  ...tokens("huggingface", ALPHANUMERIC, 30, "hf_"),
  ...tokens("digitalocean", "a-f0-9", 40, "dop_v1_ doo_v1_ dor_v1_"),
  ...tokens("sendgrid", `.${IDENTIFIER}`, 40, "SG."),
  ...tokens("shopify", "A-Fa-f0-9", 32, "shpat_ shpca_ shppa_ shpss_"),
  ...tokens("docker", IDENTIFIER, 20, "dckr_pat_"),
  ...tokens("datacat", `.${IDENTIFIER}`, 40, "dc_ingest_ dc_read_ dc_admin_"),
];

function tokens(kind: string, characters: string, least: number, prefixes: string): PrefixRule[] {
  return prefixes.split(" ").map((prefix) => ({ prefix, kind, characters, least }));
}
