"""The conformance suite: what a backend has to do, as tests.

pytest --pyargs modtf.core.conformance --backend NAME
"""
