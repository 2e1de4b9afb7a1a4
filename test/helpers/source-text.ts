/** Reads TypeScript as text, for the house rules: what is code, what is a comment, where functions begin and end. */

export interface SourceText {
  /** The source with comments, texts and patterns blanked out; same length, same lines. */
  readonly code: string;
  /** The source with comments alone blanked out. */
  readonly withoutComments: string;
  readonly comments: readonly string[];
  readonly patterns: readonly { readonly source: string; readonly flags: string; readonly line: number }[];
}

/** Words after which a slash begins a pattern rather than a division. */
const beforePattern =
  /(?:^|[=(,[!&|?:;{}+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|await|yield|new|delete))$/;

class Scanner {
  private readonly source: string;
  private readonly code: string[];
  private readonly bare: string[];
  private readonly comments: string[] = [];
  private readonly patterns: { source: string; flags: string; line: number }[] = [];
  /** Depth of braces at which each open template goes on. */
  private readonly templates: number[] = [];
  private depth = 0;
  private at = 0;

  constructor(source: string) {
    this.source = source;
    this.code = source.split('');
    this.bare = source.split('');
  }

  private blank(from: number, to: number, isComment: boolean): void {
    for (let i = from; i < to; i++) {
      if (this.source[i] === '\n') continue;
      this.code[i] = ' ';
      if (isComment) this.bare[i] = ' ';
    }
  }

  private line(at: number): number {
    return this.source.slice(0, at).split('\n').length;
  }

  private comment(): void {
    const isBlock = this.source[this.at + 1] === '*';
    const end = this.source.indexOf(isBlock ? '*/' : '\n', this.at + 2);
    const to = end === -1 ? this.source.length : end + (isBlock ? 2 : 0);
    this.comments.push(this.source.slice(this.at, to));
    this.blank(this.at, to, true);
    this.at = to;
  }

  private text(mark: string): void {
    const from = this.at;
    this.at++;
    while (this.at < this.source.length && this.source[this.at] !== mark)
      this.at += this.source[this.at] === '\\' ? 2 : 1;
    this.at++;
    this.blank(from + 1, this.at - 1, false);
  }

  /** From the backtick, or from the brace that closes an inserted expression, to the end or the next expression. */
  private template(): void {
    const from = this.at;
    this.at++;
    for (; this.at < this.source.length; this.at++) {
      const char = this.source[this.at];
      if (char === '\\') this.at++;
      else if (char === '`') break;
      else if (char === '$' && this.source[this.at + 1] === '{') {
        this.blank(from + 1, this.at, false);
        this.templates.push(this.depth);
        this.depth++;
        this.at += 2;
        return;
      }
    }
    this.blank(from + 1, this.at, false);
    this.at++;
  }

  private pattern(): void {
    const from = this.at;
    let inClass = false;
    for (this.at++; this.at < this.source.length; this.at++) {
      const char = this.source[this.at];
      if (char === '\\') this.at++;
      else if (char === '[') inClass = true;
      else if (char === ']') inClass = false;
      else if (char === '/' && !inClass) break;
    }
    const source = this.source.slice(from + 1, this.at);
    const flags = /^[a-z]*/.exec(this.source.slice(this.at + 1))?.[0] ?? '';
    this.patterns.push({ source, flags, line: this.line(from) });
    this.at += 1 + flags.length;
    this.blank(from + 1, this.at, false);
  }

  private brace(char: string): void {
    if (char === '{') this.depth++;
    else this.depth--;
    if (char === '}' && this.templates.at(-1) === this.depth) {
      this.templates.pop();
      this.template();
    } else this.at++;
  }

  scan(): SourceText {
    if (this.source.startsWith('#!')) this.comment();
    while (this.at < this.source.length) {
      const char = this.source[this.at] ?? '';
      const next = this.source[this.at + 1];
      if (char === '/' && (next === '/' || next === '*')) this.comment();
      else if (char === "'" || char === '"') this.text(char);
      else if (char === '`') this.template();
      else if (char === '{' || char === '}') this.brace(char);
      else if (char === '/' && beforePattern.test(this.code.slice(0, this.at).join('').trimEnd().slice(-12)))
        this.pattern();
      else this.at++;
    }
    const { comments, patterns } = this;
    return { code: this.code.join(''), withoutComments: this.bare.join(''), comments, patterns };
  }
}

/** Takes a source apart. */
export function readSource(source: string): SourceText {
  return new Scanner(source).scan();
}

export interface FoundFunction {
  readonly line: number;
  /** From the line of its opening brace to that of its closing one. */
  readonly lines: number;
}

const closers: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);

function opening(code: string, close: number): number {
  const want = code[close] ?? '';
  const open = closers.get(want) ?? '';
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    if (code[i] === want) depth++;
    else if (code[i] === open && --depth === 0) return i;
  }
  return -1;
}

const notType = /\n|\b(?:else|finally|catch|class|function|interface|try|do)\b/;

/** The end of a parameter list that the text before a brace closes, with or without a type between; else -1. */
function parametersEnd(code: string, brace: number): number {
  let at = brace - 1;
  let sawColon = false;
  let type = '';
  while (at >= 0) {
    const char = code[at] ?? '';
    if (char === ')' && (type.trim() === '' || sawColon)) return at;
    if (closers.has(char)) {
      // A block that ended, rather than a type with braces: what follows it stands alone.
      if (char === '}' && notType.test(code.slice(at, brace))) return -1;
      const open = opening(code, at);
      type = `${code.slice(open, at + 1)}${type}`;
      at = open - 1;
      continue;
    }
    if (/[;{([=]/.test(char) && !(char === '=' && code[at + 1] === '>')) return -1;
    if (char === ':') {
      if (type.trim() === '') return -1;
      sawColon = true;
    } else if (sawColon && !/\s/.test(char)) return -1;
    else type = `${char}${type}`;
    at--;
  }
  return -1;
}

const blockWords = /\b(?:if|for|while|switch|catch|with)\s*$|\bfor\s+await\s*$/;

function opensFunction(code: string, brace: number): boolean {
  const before = code.slice(Math.max(0, brace - 40), brace).trimEnd();
  if (before.endsWith('=>')) return true;
  const end = parametersEnd(code, brace);
  const open = end === -1 ? -1 : opening(code, end);
  return open !== -1 && !blockWords.test(code.slice(Math.max(0, open - 20), open));
}

/** Every function body of the code (comments and texts blanked out). */
export function functionsOf(code: string): readonly FoundFunction[] {
  const found: FoundFunction[] = [];
  const open: { line: number; isFunction: boolean }[] = [];
  let line = 1;
  for (let at = 0; at < code.length; at++) {
    if (code[at] === '\n') line++;
    else if (code[at] === '{') open.push({ line, isFunction: opensFunction(code, at) });
    else if (code[at] === '}') {
      const block = open.pop();
      if (block?.isFunction) found.push({ line: block.line, lines: line - block.line + 1 });
    }
  }
  return found;
}

/** What a module imports or re-exports: the specifier, and whether only types come through. */
export function importsOf(withoutComments: string): readonly { readonly from: string; readonly isType: boolean }[] {
  const found: { from: string; isType: boolean }[] = [];
  const statement = /^(?:import|export)\b(?<what>[^;'"]*?)\bfrom\s*['"](?<from>[^'"]+)['"]/gm;
  for (const match of withoutComments.matchAll(statement)) {
    const what = match.groups?.what ?? '';
    const names = /\{(?<names>[^}]*)\}/.exec(what)?.groups?.names;
    const listed = (names ?? '').split(',').filter((name) => name.trim() !== '');
    const allTypes =
      listed.length > 0 && listed.every((name) => name.trim().startsWith('type ')) && /^\s*\{/.test(what);
    found.push({ from: match.groups?.from ?? '', isType: /^\s*type\b/.test(what) || allTypes });
  }
  for (const match of withoutComments.matchAll(/\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g)) {
    found.push({ from: match[1] ?? '', isType: false });
  }
  for (const match of withoutComments.matchAll(/^import\s+['"]([^'"]+)['"]/gm)) {
    found.push({ from: match[1] ?? '', isType: false });
  }
  return found;
}
