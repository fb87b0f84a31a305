import { startAsteriskPbxLab } from '../support/asterisk-pbx-lab.ts';
import { describePbxDriver } from './pbx-driver.contract.ts';

describePbxDriver('adapters/asterisk on a real Asterisk', startAsteriskPbxLab);
