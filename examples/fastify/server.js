import Fastify from 'fastify'

const fastify = Fastify({ logger: true })

fastify.get('/', async (request, reply) => {
  return { hello: 'world', pid: process.pid }
})

try {
  await fastify.listen({ port: Number(process.env.PORT ?? 3000) })
} catch (err) {
  fastify.log.error(err)
  process.exit(1)
}
