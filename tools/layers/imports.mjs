// SPDX-License-Identifier: Apache-2.0

const comment = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/
const string = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/
/** A slash after one of these begins a regular expression; it may hold quotes and what looks like a comment. */
const regex =
  /(?<=(?:[=(,:;!&|?{}[\n]|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/
const lexeme = new RegExp(`(${regex.source})|(${comment.source})|${string.source}`, 'g')

/** The source with comments and regular expressions blanked out, line for line; strings stay. */
function withoutComments(source) {
  return source.replace(lexeme, (text, isRegex, isComment) =>
    isRegex === undefined && isComment === undefined ? text : text.replace(/[^\n]/g, ' '),
  )
}

/** Each form of import: group 1 is the specifier. `computed` ones have none that could be checked. */
const forms = [
  { kind: 'type', pattern: /\b(?:import|export)\s+type\s[\w$\s{},*]*?\bfrom\s*['"]([^'"]+)['"]/g },
  {
    kind: 'static',
    pattern: /\b(?:import|export)(?!\s+type\s+[\w${*])[\w$\s{},*]*?\bfrom\s*['"]([^'"]+)['"]/g,
  },
  { kind: 'static', pattern: /\bimport\s*['"]([^'"]+)['"]/g },
  { kind: 'dynamic', pattern: /(?<![.\w$])import\s*\(\s*['"`]([^'"`$]+)['"`]\s*[,)]/g },
  {
    kind: 'dynamic',
    pattern: /\b(?:require|require\.resolve|import\.meta\.resolve)\s*\(\s*['"`]([^'"`$]+)['"`]/g,
  },
  { kind: 'url', pattern: /\bnew\s+URL\s*\(\s*['"`](\.[^'"`$]*)['"`]\s*,\s*import\.meta\.url/g },
  { kind: 'computed', pattern: /(?<![.\w$])import\s*\((?!\s*['"`][^'"`$]+['"`]\s*[,)])/g },
]

/** Every import in a TypeScript source as `{ kind, specifier, line }`. Computed imports have the specifier ''. */
export function findImports(source) {
  const text = withoutComments(source)
  return forms.flatMap(({ kind, pattern }) =>
    [...text.matchAll(pattern)].map((match) => ({
      kind,
      specifier: match[1] ?? '',
      line: text.slice(0, match.index).split('\n').length,
    })),
  )
}
