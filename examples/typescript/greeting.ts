export interface Greeting {
  readonly text: string
  readonly pid: number
}

export function greet(name: string): Greeting {
  return { text: `hello ${name}`, pid: process.pid }
}
