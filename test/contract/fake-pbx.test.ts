import { startFakePbxLab } from '../support/fake-pbx-lab.ts';
import { describePbxDriver } from './pbx-driver.contract.ts';

describePbxDriver('the fake', startFakePbxLab);
