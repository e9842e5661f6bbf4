/** Runs peers in turns: A B C, B C A, C A B. What slows the machine down slows all of them. */
export async function inTurns(peers, rounds, action) {
  const results = Object.fromEntries(peers.map((peer) => [peer, []]))
  for (let round = 0; round < rounds; round += 1) {
    const order = peers.map((_, index) => peers[(index + round) % peers.length])
    for (const peer of order) results[peer][round] = await action(peer, round)
    process.stderr.write(`\r  round ${round + 1} of ${rounds}${round + 1 === rounds ? '\n' : ''}`)
  }
  return results
}
