#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Refuses imports that go against the layers of ARCHITECTURE.md. The table of what is allowed is layers/rules.mjs.
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findCycles } from './layers/cycles.mjs'
import { findImports } from './layers/imports.mjs'
import { isPortable, isTest, nodeSubpaths, rowFor, separatedSides } from './layers/rules.mjs'
import { root as repositoryRoot } from './runner/environment.mjs'
import { listFiles } from './runner/files.mjs'
import { workspacePackages } from './runner/workspace.mjs'

const scope = '@mlcapsule/'

function splitBare(specifier) {
  const parts = specifier.split('/')
  const count = specifier.startsWith('@') ? 2 : 1
  return { name: parts.slice(0, count).join('/'), subpath: parts.slice(count).join('/') || '.' }
}

function isAllowed(row, name, subpath) {
  const folder = name.slice(scope.length)
  return row.some((it) => it === folder || it === `${folder}/${subpath}`)
}

function sideOf(pkg, path) {
  return separatedSides[pkg.dir]?.find((side) => path.startsWith(`${pkg.dir}/src/${side}/`))
}

/** Why a file of `pkg` may not import the workspace package or subpath, or undefined. */
function workspaceProblem(pkg, path, { name, subpath }, packages) {
  const target = packages.find((it) => it.manifest.name === name)
  if (target === undefined) return `there is no workspace package ${name}`
  if (target.dir !== pkg.dir) {
    if (!isAllowed(rowFor(pkg.dir) ?? [], name, subpath))
      return `${pkg.dir} may not import ${posix.join(name, subpath)}`
    const { dependencies, devDependencies } = pkg.manifest
    const declared =
      isTest(path) || pkg.manifest.private ? { ...devDependencies, ...dependencies } : dependencies
    if (declared?.[name] === undefined)
      return `${pkg.dir}/package.json does not list ${name} in its dependencies`
  }
  const key = subpath === '.' ? '.' : `./${subpath}`
  if (target.manifest.exports?.[key] === undefined) return `${name} does not export ${key}`
  if (isPortable(path) && nodeSubpaths.includes(subpath))
    return `a portable file may not import ${name}/${subpath}, which needs Node`
  const other = separatedSides[pkg.dir]?.includes(subpath) && target.dir === pkg.dir ? subpath : undefined
  return sideProblem(pkg, path, other)
}

function sideProblem(pkg, path, otherSide) {
  const side = sideOf(pkg, path)
  if (side === undefined || otherSide === undefined || side === otherSide || isTest(path)) return undefined
  return `the ${side} side may not import the ${otherSide} side`
}

/** Why a file may not import the file that a relative specifier names, or undefined. */
function relativeProblem(pkg, path, target) {
  if (target !== pkg.dir && !target.startsWith(`${pkg.dir}/`)) {
    const mayUseTools = pkg.dir === 'tests' || path === `${pkg.dir}/vitest.config.ts`
    if (mayUseTools && target.startsWith('tools/')) return undefined
    return `a relative import leaves ${pkg.dir}: ${target}`
  }
  if (isPortable(path) && target.includes('/src/') && !isPortable(target)) {
    return `a portable file may not import ${target}, which ${isTest(target) ? 'is for tests' : 'needs Node'}`
  }
  return sideProblem(pkg, path, sideOf(pkg, target))
}

function importProblem(pkg, path, { kind, specifier }, packages) {
  if (kind === 'computed')
    return isPortable(path) ? 'a portable file may not import a computed name' : undefined
  if (specifier.startsWith('.')) return relativeProblem(pkg, path, posix.join(posix.dirname(path), specifier))
  if (/^(\/|#|[a-z]+:\/\/|file:|data:)/.test(specifier))
    return `import by package name or relative path, not ${specifier}`
  if (isBuiltin(specifier))
    return isPortable(path) ? `a portable file may not import ${specifier}` : undefined
  const bare = splitBare(specifier)
  return bare.name.startsWith(scope) ? workspaceProblem(pkg, path, bare, packages) : undefined
}

function manifestProblems(pkg) {
  const row = rowFor(pkg.dir)
  if (row === undefined) return [`${pkg.dir}/package.json: tools/layers/rules.mjs has no row for this folder`]
  const { dependencies, devDependencies, peerDependencies } = pkg.manifest
  return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies })
    .filter(
      (name) => name.startsWith(scope) && !row.some((it) => it.split('/')[0] === name.slice(scope.length)),
    )
    .map((name) => `${pkg.dir}/package.json: ${pkg.dir} may not depend on ${name}`)
}

const link = (graph, from, to) => graph.set(from, (graph.get(from) ?? new Set()).add(to))

/** Every breach of the layers under `root`, one line each. */
export function checkLayers(root) {
  const packages = workspacePackages(root).filter((it) => !/^tools(\/|$)/.test(it.dir))
  const problems = packages.flatMap(manifestProblems)
  const packageGraph = new Map()
  const fileGraph = new Map()
  for (const pkg of packages) {
    for (const name of Object.keys(pkg.manifest.dependencies ?? {}))
      link(packageGraph, pkg.manifest.name, name)
    for (const path of listFiles(root, pkg.dir).filter((it) => /\.[mc]?tsx?$/.test(it))) {
      for (const found of findImports(readFileSync(join(root, path), 'utf8'))) {
        const problem = importProblem(pkg, path, found, packages)
        if (problem !== undefined) problems.push(`${path}:${found.line}: ${problem}`)
        if (found.specifier.startsWith(scope))
          link(packageGraph, pkg.manifest.name, splitBare(found.specifier).name)
        if (found.kind === 'static' && found.specifier.startsWith('.')) {
          link(fileGraph, path, posix.join(posix.dirname(path), found.specifier))
        }
      }
    }
  }
  for (const { manifest } of packages) packageGraph.get(manifest.name)?.delete(manifest.name)
  for (const graph of [packageGraph, fileGraph]) {
    for (const cycle of findCycles(graph)) problems.push(`cycle: ${cycle.join(' → ')}`)
  }
  return problems
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const problems = checkLayers(repositoryRoot)
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
