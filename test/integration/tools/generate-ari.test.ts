import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { ASTERISK_VERSION } from '../../../control-plane/src/adapters/asterisk/ari.gen.ts';
import { ariSource } from '../../../control-plane/tools/ari-source.ts';
import { readAriSwagger } from '../../../control-plane/tools/ari-swagger.ts';
import { asteriskRootDir, repositoryTop } from '../../support/sandbox-roots.ts';

describe('tools/generate-ari', () => {
  it('gives the committed bytes again from the installed Asterisk: run it when the API has changed', async () => {
    const committed = readFileSync(
      resolve(repositoryTop, 'control-plane/src/adapters/asterisk/ari.gen.ts'),
      'utf8',
    );
    const swagger = await readAriSwagger(asteriskRootDir());
    // a newer Asterisk with the same API is no difference
    expect(ariSource({ ...swagger, version: ASTERISK_VERSION })).to.equal(committed);
  });

  it('refuses a folder that holds no Asterisk', async () => {
    const error = await readAriSwagger(resolve(repositoryTop, 'docs')).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(Error);
  });
});
