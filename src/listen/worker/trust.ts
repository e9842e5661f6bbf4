/** Which peers may say for whom they speak. */
import { BlockList, isIP } from 'node:net'

/** @param networks addresses, `address/bits`, and `unix` for peers without an address */
export function createTrust(networks: readonly string[]): (address: string | undefined) => boolean {
  if (networks.length === 0) return () => false
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const version = isIP(address)
    if (version === 0) continue
    const family = version === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  const trustsUnix = networks.includes('unix')
  return (address) => {
    if (address === undefined) return trustsUnix
    // An IPv4 client of a socket for both: ::ffff:10.0.0.1.
    const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }
}
