/** `make sandbox`: a whole gateway that runs until Ctrl-C. BIND=<address> serves other devices over TLS. */
import { startSandbox, type Sandbox } from './sandbox.ts';

function show({ file, path }: Sandbox): void {
  process.stdout.write(`
The gateway runs. Everything about it: ${path}

  citizen   ${file.urls.citizenPage}
  panel     ${file.urls.panelPage}
  API       ${file.urls.api}  (OpenAPI: ${file.urls.api}/openapi.json)
  carrier   ${file.urls.carrierReport}/calls  (what the simulated carrier saw)

  More tokens: .tools/bin/node control-plane/src/cli/hamrahi.ts token --role citizen --subject priya
  Numbers and what they do: docs/sandbox-numbers.md
  Ctrl-C ends it all.
`);
}

const bind = process.env['BIND'];
let ending = false;
try {
  const sandbox = await startSandbox({
    ...(bind === undefined || bind === '' ? {} : { bind }),
    say: (line) => process.stderr.write(`sandbox: ${line}\n`),
  });
  const end = (): void => {
    if (ending) return;
    ending = true;
    process.stderr.write('sandbox: ending\n');
    sandbox.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`sandbox: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  show(sandbox);
  void sandbox.controlPlane().exited.then(() => {
    if (ending) return;
    process.stderr.write(
      `sandbox: the control plane ended by itself; see ${sandbox.controlPlane().logFile}\n`,
    );
    end();
  });
} catch (error) {
  process.stderr.write(`sandbox: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
