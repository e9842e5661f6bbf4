import Koa from 'koa'

const app = new Koa()

// Time of the response, measured around all that follows.
app.use(async (ctx, next) => {
  const start = performance.now()
  await next()
  ctx.set('X-Response-Time', `${(performance.now() - start).toFixed(1)}ms`)
})

app.use(async (ctx) => {
  ctx.body = `hello from process ${process.pid}\n`
})

app.listen(process.env.PORT ?? 3000)
