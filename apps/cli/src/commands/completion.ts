import { globalOptions } from "../arguments.ts";
import { invalidOption } from "../errors.ts";
import { globalHelp } from "../help.ts";
import type { Command } from "./command.ts";

const shells = ["bash", "zsh", "fish"] as const;

/** `latchkey completion`: a script for a shell, of all commands and their options. */
export function completionCommand(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    usage: "completion bash|zsh|fish",
    summary: "print a script with which a shell completes commands and options",
    help: `bash:  source <(latchkey completion bash)      in ~/.bashrc
zsh:   source <(latchkey completion zsh)       in ~/.zshrc, after compinit
fish:  latchkey completion fish > ~/.config/fish/completions/latchkey.fish`,
    positionals: [1, 1],
    run({ environment, positionals }) {
      const shell = shells.find((each) => each === positionals[0]);
      if (shell === undefined) throw invalidOption(`completion is for ${shells.join(", ")}`);
      environment.stdout.write({ bash, zsh, fish }[shell](commands().map(wordsOf)));
      return Promise.resolve();
    },
  };
}

/** `latchkey manual`: the manual page. */
export function manualCommand(commands: () => readonly Command[]): Command {
  return {
    name: "manual",
    usage: "manual",
    summary: "print the manual page, for man: latchkey manual | man -l -",
    positionals: [0, 0],
    run({ environment }) {
      environment.stdout.write(manualPage(commands()));
      return Promise.resolve();
    },
  };
}

/** What can follow a command's name. */
interface Words {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly string[];
  /** Words that its usage names in place of a first argument: `create|add|remove`. */
  readonly actions: readonly string[];
}

function wordsOf({ name, summary, usage, options }: Command): Words {
  const firsts = usage.split(" | ").map((part) => part.replace(new RegExp(`^${name} `), "").split(" ")[0] ?? "");
  const actions = firsts.flatMap((first) => first.replace(/^\[|\]$/g, "").split("|")).filter((word) => /^[a-z][a-z-]*$/.test(word));
  const all = { ...globalOptions, ...options };
  return { name, summary, actions: [...new Set(actions)], options: Object.keys(all).map((option) => `--${option}`) };
}

function bash(words: readonly Words[]): string {
  const cases = words.map(({ name, options, actions }) => `    ${name}) words="${[...actions, ...options].join(" ")}" ;;`);
  return `# bash completion for latchkey
_latchkey() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ "\${COMP_WORDS[at]}" == -* ]] || break
  done
  if ((at >= COMP_CWORD)); then
    COMPREPLY=($(compgen -W "${words.map(({ name }) => name).join(" ")} --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[at]}" in
${cases.join("\n")}
    *) return ;;
  esac
  [[ "$current" == -* ]] || ((at + 1 == COMP_CWORD)) || return
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _latchkey latchkey
`;
}

function zsh(words: readonly Words[]): string {
  const names = words.map(({ name, summary }) => `    '${name}:${quoted(summary).replaceAll(":", "\\:")}'`);
  const cases = words.map(({ name, options, actions }) => `    ${name}) compadd -- ${[...actions, ...options].join(" ")} ;;`);
  return `#compdef latchkey
_latchkey() {
  local -a commands=(
${names.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  case "$words[2]" in
${cases.join("\n")}
  esac
  _files
}
compdef _latchkey latchkey
`;
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ name, summary, options, actions }) => [
    `complete -c latchkey -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`,
    ...(actions.length === 0 ? [] : [`complete -c latchkey -n '__fish_seen_subcommand_from ${name}' -a '${actions.join(" ")}'`]),
    ...options.map((option) => `complete -c latchkey -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`),
  ]);
  return `# fish completion for latchkey\n${lines.join("\n")}\n`;
}

/** Inside of single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function manualPage(commands: readonly Command[]): string {
  const sections = commands.map(({ usage, summary, help }) => {
    const lines = help === undefined ? "" : `.PP\n.nf\n${roff(help)}\n.fi\n`;
    return `.SS "${roff(usage).replaceAll('"', "'")}"\n${roff(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)}\n${lines}`;
  });
  return `.TH LATCHKEY 1
.SH NAME
latchkey \\- messages that only the people in them can read
.SH SYNOPSIS
.B latchkey
.I COMMAND
.RI [ ARGUMENT... ]
.SH COMMANDS
${sections.join("")}.SH COMMON
.nf
${roff(globalHelp.trimEnd())}
.fi
`;
}

/** Text as it is, for a manual page. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
}
