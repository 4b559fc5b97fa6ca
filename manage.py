#!/usr/bin/env python3
"""Django's command line, with the embedded services behind it where no others are named."""

import os
import sys

from healthpilot import commandline

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthpilot.settings")
    commandline.run(sys.argv)
