import express from 'express'

const app = express()
const port = process.env.PORT ?? 3000

app.use(express.json())

app.get('/', (req, res) => {
  res.send(`hello from process ${process.pid}\n`)
})

app.post('/echo', (req, res) => {
  res.json({ received: req.body, pid: process.pid })
})

app.listen(port, (error) => {
  if (error) throw error
  console.log(`Example app listening on port ${port}`)
})
