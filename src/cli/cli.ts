#!/usr/bin/env node
// The command. Everything else is importable without effect.
import { main } from './main.ts'

void main(process.argv.slice(2), process.env, { stdout: process.stdout, stderr: process.stderr }).then((code) => {
  process.exitCode = code
})
