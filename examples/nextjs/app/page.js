import { connection } from 'next/server'

export default async function Page() {
  // Rendered for each request, not at build time.
  await connection()
  return <h1>hello from process {process.pid}</h1>
}
