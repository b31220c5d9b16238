/** Every route as it is registered: checks its declaration, and later tells a wrong method from a wrong address. */
import type { FastifyInstance, RouteOptions } from 'fastify';
import { PlatformError } from '../errors.ts';
import { isPermission, type Permission } from './permission.ts';

type DeclaredRoute = { readonly method: string; readonly url: string; readonly permission: Permission };

export class RouteTable {
  readonly #routes: DeclaredRoute[] = [];
  readonly #patterns = new Map<string, RegExp>();

  /** Call before the first route. A route without a permission then throws where it is registered: the server does not boot. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', (route) => this.#add(route));
  }

  /** The methods that this path has, for the `Allow` header. */
  methodsOf(path: string): readonly string[] {
    return [...new Set(this.#routes.filter(({ url }) => this.#patternOf(url).test(path)).map(({ method }) => method))];
  }

  #add({ method, url, config }: RouteOptions): void {
    const permission: unknown = config?.permission;
    if (!isPermission(permission)) {
      throw new PlatformError('http/undeclared-route', `${String(method)} ${url}`, {
        hint: "give it `config: { permission: 'read' }`, or another of permission.ts",
      });
    }
    if (permission === 'signed' && config?.verify === undefined) {
      throw new PlatformError('http/undeclared-route', `${String(method)} ${url}`, {
        hint: 'a signed route has `config.verify`, which tells who signed the request',
      });
    }
    for (const each of [method].flat()) this.#routes.push({ method: each, url, permission });
  }

  #patternOf(url: string): RegExp {
    const known = this.#patterns.get(url);
    if (known) return known;
    const source = url
      .replaceAll('::', '\0')
      .replace(/[\\^$.|+()[\]{}?]/g, '\\$&')
      .replaceAll('*', '.*')
      .replace(/:[A-Za-z0-9_]+/g, '[^/]+')
      .replaceAll('\0', ':');
    const pattern = new RegExp(`^${source}$`);
    this.#patterns.set(url, pattern);
    return pattern;
  }
}
