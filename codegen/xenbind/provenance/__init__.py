"""What an output folder was made of, so that nothing has to be made, or read, twice.

`job` says where a run's headers and output lie, `inputs` digests what the output depends on,
and `manifest` keeps those beside the output.  By them `check` knows that nothing changed, and
`stored` that the interfaces which `generate` kept are still what the headers say.
"""
