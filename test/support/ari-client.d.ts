/** The little that the witness uses of `ari-client` 2.2, which has no types of its own. */
declare module 'ari-client' {
  export interface AriClientChannel {
    readonly id: string;
    readonly name: string;
    readonly state: string;
  }
  export interface AriClientBridge {
    readonly id: string;
    readonly technology: string;
    readonly channels: readonly string[];
  }
  export interface AriClientEndpoint {
    readonly resource: string;
    readonly state: string;
  }
  export interface AriClient {
    readonly channels: { list(): Promise<readonly AriClientChannel[]> };
    readonly bridges: { list(): Promise<readonly AriClientBridge[]> };
    readonly endpoints: { listByTech(by: { tech: string }): Promise<readonly AriClientEndpoint[]> };
  }
  const ariClient: {
    connect(url: string, user: string, password: string): Promise<AriClient>;
  };
  export default ariClient;
}
