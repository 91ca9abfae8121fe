// SPDX-License-Identifier: Apache-2.0

/** One cycle per knot of a graph (`Map` from node to `Set` of nodes), each as the nodes on the way round. */
export function findCycles(graph) {
  const cycles = []
  const done = new Set()
  const path = []
  const onPath = new Set()
  const visit = (node) => {
    if (done.has(node)) return
    if (onPath.has(node)) {
      cycles.push([...path.slice(path.indexOf(node)), node])
      return
    }
    path.push(node)
    onPath.add(node)
    for (const next of graph.get(node) ?? []) visit(next)
    path.pop()
    onPath.delete(node)
    done.add(node)
  }
  for (const node of graph.keys()) visit(node)
  return cycles
}
