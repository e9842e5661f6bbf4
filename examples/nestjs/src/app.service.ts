import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common'

@Injectable()
export class AppService implements OnApplicationShutdown {
  private readonly logger = new Logger(AppService.name)

  getHello(): string {
    return `hello from process ${process.pid}\n`
  }

  /** Where connections to databases would be closed. */
  onApplicationShutdown(signal?: string): void {
    this.logger.log(`Shutting down on ${signal}`)
  }
}
