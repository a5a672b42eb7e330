def check_files(check, lines):
    pass
