"""`python -m deepfm_tutorial.distributed`: see `launch`."""
import sys

from .launch import main

sys.exit(main())
